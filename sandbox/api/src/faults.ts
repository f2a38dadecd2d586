import { setTimeout as sleep } from "node:timers/promises";
import type { FaultConfig } from "./config";

/** The ways in which a release can be broken on purpose. */
export const FAULTS = ["never-ready", "crash", "errors", "slow"] as const;
export type Fault = (typeof FAULTS)[number];

/** What a request meets before it is answered; probes and metrics never meet any of it. */
export interface FaultInjector {
    /** Takes its time, with `slow`. */
    delay(): Promise<void>;
    /** Whether this request fails. */
    fails(): boolean;
    /** Whether the pod never says that it is ready. */
    readonly neverReady: boolean;
}

/** @param random returns a number from 0 up to, not including, 1 */
export function faultInjector(config: FaultConfig, random: () => number): FaultInjector {
    return {
        async delay() {
            if (config.kind === "slow") await sleep(config.delayMs);
        },
        fails: () => config.kind === "errors" && random() * 100 < config.errorPercent,
        neverReady: config.kind === "never-ready",
    };
}
