/**
 * Why the sandbox cannot run here, if so. Only what no installation can change: anything else that it
 * lacks is its own failure.
 */
export function cannotRun(): string | undefined {
    if (process.platform !== "linux") return `the sandbox needs Linux, this is ${process.platform}`;
    if (process.getuid?.() !== 0) return "the sandbox needs root";
    return undefined;
}
