// The map and the keys of an entry as 32-bit words, so that writing and recognising them costs a few instructions.

// map(6), raw(10) "AppendedAt": three words, then the time.
export const APPENDED_AT_1 = 0x86aa4170
export const APPENDED_AT_2 = 0x70656e64
export const APPENDED_AT_3 = 0x65644174
export const APPENDED_AT_SIZE = 12

// raw(4) "Data": a word and a byte.
export const DATA_1 = 0xa4446174
export const DATA_2 = 0x61
export const DATA_SIZE = 5

// raw(10) "Extensions": two words, and one at 7 that shares a byte with the second.
export const EXTENSIONS_1 = 0xaa457874
export const EXTENSIONS_2 = 0x656e7369
export const EXTENSIONS_3 = 0x696f6e73
export const EXTENSIONS_SIZE = 11

// raw(5) "Index": a word and a half.
export const INDEX_1 = 0xa5496e64
export const INDEX_2 = 0x6578
export const INDEX_SIZE = 6

// raw(4) "Term": a word and a byte.
export const TERM_1 = 0xa4546572
export const TERM_2 = 0x6d
export const TERM_SIZE = 5

// raw(4) "Type": a word and a byte.
export const TYPE_1 = 0xa4547970
export const TYPE_2 = 0x65
export const TYPE_SIZE = 5
