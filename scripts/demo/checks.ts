import { ConnectionKind, dueBetween, explainFailures, ofKind, type Sample } from "../prober";
import { describeChange, movesOnlyTheRoute, movesRoute } from "./changes";
import { PhaseName, type PhaseRecord, type Recording } from "./recording";

/** New connections reach the new release within this time after the route changed. */
export const MOVED_WITHIN_SECONDS = 1;

/**
 * Whether each phase did what it says, from what was observed in the cluster and by the load; the
 * engine's word alone counts for nothing. Returns one sentence per claim that does not hold.
 */
export function complaintsOf(recording: Recording): string[] {
    const complaints: string[] = [];
    if (recording.error) complaints.push(recording.error);
    for (const name of Object.values(PhaseName)) {
        const phase = recording.phases.find((one) => one.name === name);
        if (phase) complaints.push(...CHECKS[name](phase, recording).map((c) => `${name}: ${c}`));
        else if (!recording.error) complaints.push(`${name}: did not take place`);
    }
    if (recording.samples.length === 0 && !recording.error) complaints.push("no request was sent");
    complaints.push(...explainFailures(recording.samples).map((what) => `failed: ${what}`));
    return complaints;
}

type Check = (phase: PhaseRecord, recording: Recording) => string[];

const CHECKS: Record<PhaseName, Check> = {
    deploy: (phase) => (phase.changes.length > 0 ? [] : ["created nothing"]),
    "no-op": (phase) =>
        phase.changes.map((change) => `changed something: ${describeChange(change)}`),
    green: (phase, recording) => [
        ...(phase.changes.length > 0 ? [] : ["changed nothing"]),
        ...stayed(phase, recording),
    ],
    preview: (phase, recording) => [
        ...(phase.changes.some(movesRoute) ? [] : ["did not show the change of the selector"]),
        ...stayed(phase, recording),
    ],
    switch: (phase, recording) => moved(phase, recording, recording.releases.green),
    back: (phase, recording) => moved(phase, recording, recording.releases.blue),
};

/** Before the switch no request may be answered by anything but blue's release. */
function stayed(phase: PhaseRecord, { samples, releases }: Recording): string[] {
    const others = dueBetween(samples, phase.from, phase.to).filter(
        (sample) => sample.ok && sample.release !== releases.blue,
    );
    const complaints = others.length > 0 ? [`${others.length} requests left ${releases.blue}`] : [];
    if (phase.routeChange) complaints.push("the route changed");
    return complaints;
}

function moved(phase: PhaseRecord, recording: Recording, release: string): string[] {
    const complaints: string[] = [];
    if (!movesOnlyTheRoute(phase.changes)) {
        const changes = phase.changes.map(describeChange).join("; ") || "nothing";
        complaints.push(`expected one changed selector and nothing else, got ${changes}`);
    }
    if (!phase.routeChange) return [...complaints, "no Service changed its selector"];
    if (phase.trafficMovedSeconds === undefined) {
        return [...complaints, `new connections did not all reach ${release}`];
    }
    if (phase.trafficMovedSeconds > MOVED_WITHIN_SECONDS) {
        complaints.push(
            `new connections reached ${release} ${phase.trafficMovedSeconds.toFixed(2)} s after ` +
                `the route changed, expected at most ${MOVED_WITHIN_SECONDS} s`,
        );
    }
    const since = phase.routeChange.at + phase.trafficMovedSeconds * 1_000;
    const strays = strayAnswers(recording, phase, since, release);
    if (strays.length > 0) {
        complaints.push(`${strays.length} new connections came back to another release`);
    }
    return complaints;
}

/** Answers on new connections by another release, from `since` to the start of the next phase. */
function strayAnswers(
    recording: Recording,
    phase: PhaseRecord,
    since: number,
    release: string,
): Sample[] {
    const later = recording.phases.filter(({ from }) => from >= phase.to).map(({ from }) => from);
    const until = Math.min(Infinity, ...later);
    return ofKind(recording.samples, ConnectionKind.new).filter(
        (one) => one.ok && one.start >= since && one.start < until && one.release !== release,
    );
}
