/** Answers between two turns of the thread's other work. */
export const TURN = 32;

/** The thread's other work has its turn. */
export const turn = () => new Promise((resolve) => setTimeout(resolve));
