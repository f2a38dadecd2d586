import type { Engine } from "../engine";
import type { Cleanup } from "../demo/cleanup";
import type { NamedCluster } from "../demo/cluster";
import type { Say } from "../progress";

/** What every measurement works with. */
export interface Bench {
    /** The project's root. */
    root: string;
    engine: Engine;
    /** The sandbox. */
    cluster: NamedCluster;
    cleanup: Cleanup;
    signal: AbortSignal;
    /** Counted runs of each thing that is measured. */
    rounds: number;
    say: Say;
}
