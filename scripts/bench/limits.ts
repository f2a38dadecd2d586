/** What the figures may be; each is the promise of the project, not what a good machine reaches. */
export const LIMITS = {
    /** Seconds of an `up` that changes nothing, start of Node included. */
    noOpSeconds: 2.5,
    /** A switch between warm colors ÷ a no-op; plain Pulumi takes about seven. */
    switchRatio: 1.2,
    /** Seconds of the `up` that changes a canary's weight with routing `nginx`. */
    weightSeconds: 5,
    /** A preview with the components ÷ one of the same resources written by hand. */
    componentsRatio: 1.15,
} as const;
