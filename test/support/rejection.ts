const EVENTS = ["unhandledRejection", "uncaughtException"] as const;

/** How long a program may take to fail, in milliseconds. */
const DEADLINE_MS = 10_000;

/**
 * The error with which a program fails beside its own flow: what throws while an output is computed is
 * nobody's promise, and ends the process of a real run.
 */
export async function failureOf(program: () => Promise<unknown>): Promise<Error> {
    const saved = EVENTS.map((event) => process.rawListeners(event));
    for (const event of EVENTS) process.removeAllListeners(event);
    let timer: NodeJS.Timeout | undefined;
    try {
        return await new Promise<Error>((resolve, reject) => {
            for (const event of EVENTS) process.on(event, resolve);
            timer = setTimeout(() => reject(new Error("nothing failed")), DEADLINE_MS);
            program().catch(resolve);
        });
    } finally {
        clearTimeout(timer);
        // What follows from the same failure may come a turn later.
        await new Promise((resolve) => setTimeout(resolve, 50));
        EVENTS.forEach((event, index) => {
            process.removeAllListeners(event);
            for (const listener of saved[index] ?? []) {
                process.on(event, listener as (error: unknown) => void);
            }
        });
    }
}
