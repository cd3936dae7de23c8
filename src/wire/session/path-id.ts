/** Challenges and responses, on any route. Never acknowledged, never padded, outside congestion control. */
export const CHECKS_PATH = 0;
/** Through the server's TCP. */
export const SERVER_PATH = 1;
/** Through the server's UDP. */
export const RELAY_PATH = 2;
/** Further ids rise from here and are never used again. */
export const FIRST_FREE_PATH = 3;
