export { now } from "./clock";
export { type Prober, startProber } from "./prober";
export { firstAnswer, movedAfter, releasesSince } from "./queries";
export { assertTarget } from "./settings";
export {
    dueBetween,
    explainFailures,
    type Figures,
    figures,
    type Latency,
    latencyFigures,
    latencyOf,
    ofKind,
    percentile,
    summarize,
    type Summary,
} from "./statistics";
export { ConnectionKind, DEFAULT_RATE, type ProbeSettings, type Sample } from "./types";
