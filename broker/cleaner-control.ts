/** Memory that a broker and its cleaner thread share, in int32: how the one tells the other anything while it works. */
export const CONTROL_WORDS = 2;
/** 1: what is under way is to be given up. A thread that pauses sleeps on it. */
export const GIVE_UP = 0;
/** How many bytes a second may be read and written; 0: as many as can be. */
export const BYTES_PER_SECOND = 1;
