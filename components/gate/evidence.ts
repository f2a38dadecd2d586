import type { ClusterReader, KubernetesEvent, Pod } from "./reader";
import { containerStatuses, isReady } from "./problems";
import { currentPods, type SideState } from "./target";

/** Enough pods to see whether they fail alike, few enough to read. */
const PODS_SHOWN = 2;
const LOG_LINES = 8;
const EVENTS_SHOWN = 4;
const LINE_LENGTH = 240;

/**
 * What an engineer would look up next, as indented lines: the Deployment, its failing pods with their
 * last log lines, and the recent events of both. A part that cannot be read says so in its place, for
 * the failure itself must not get lost behind a missing permission.
 */
export async function gatherEvidence(
    reader: ClusterReader,
    namespace: string,
    state: SideState,
): Promise<string> {
    const { deployment, replicaSet } = state;
    const failing = currentPods(state).filter((pod) => !isReady(pod));
    const pods = failing.slice(0, PODS_SHOWN);
    const sections = await Promise.all([
        eventLines(reader, namespace, "Deployment", deployment.metadata.name),
        replicaSet && eventLines(reader, namespace, "ReplicaSet", replicaSet.metadata.name),
        ...pods.map((pod) => podSection(reader, namespace, pod)),
    ]);
    const more = failing.length - pods.length;
    return [
        describeDeployment(state),
        ...sections.flatMap((lines) => lines ?? []),
        ...(more > 0 ? [`and ${more} more pods that are not ready`] : []),
    ]
        .map((line) => `  ${line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH)}…` : line}`)
        .join("\n");
}

function describeDeployment(state: SideState): string {
    const { deployment, pods } = state;
    const current = currentPods(state);
    const ready = current.filter(isReady).length;
    const older = pods.filter((pod) => isReady(pod) && !current.includes(pod)).length;
    const size = `${deployment.spec.replicas ?? 1} wanted, ${current.length} made, ${ready} ready`;
    const rest = older > 0 ? `; ${older} ready pods of an older template do not count` : "";
    return `Deployment ${deployment.metadata.name}: ${size}${rest}`;
}

async function podSection(reader: ClusterReader, namespace: string, pod: Pod): Promise<string[]> {
    const name = pod.metadata.name;
    const [logs, events] = await Promise.all([
        logLines(reader, namespace, pod),
        eventLines(reader, namespace, "Pod", name),
    ]);
    return [`pod ${name}: ${describePod(pod)}`, ...events, ...logs];
}

/** The pod's state in a few words: the first container that is not ready decides. */
export function describePod(pod: Pod): string {
    const status = containerStatuses(pod).find(({ ready }) => !ready);
    const { waiting, running, terminated } = status?.state ?? {};
    const restarts = status && status.restartCount > 0 ? `, ${status.restartCount} restarts` : "";
    if (waiting) return `${waiting.reason ?? "waiting"}${restarts}`;
    if (terminated) return `ended with exit code ${terminated.exitCode}${restarts}`;
    if (running) return `running, not ready${restarts}`;
    const reason = pod.status?.reason ?? unmetCondition(pod);
    return `${pod.status?.phase ?? "not seen by a node yet"}${reason ? `, ${reason}` : ""}`;
}

function unmetCondition(pod: Pod): string | undefined {
    const unmet = pod.status?.conditions?.find(
        ({ status, reason }) => status === "False" && reason,
    );
    return unmet && `${unmet.reason}${unmet.message ? `: ${unmet.message}` : ""}`;
}

async function logLines(reader: ClusterReader, namespace: string, pod: Pod): Promise<string[]> {
    const status = containerStatuses(pod).find(({ ready }) => !ready);
    const started =
        status?.state?.running ?? status?.state?.terminated ?? status?.lastState?.terminated;
    // Nothing ran, so there is no log, and asking for it would only add an error.
    if (status === undefined || started === undefined) return [];
    const previous = status.state?.waiting !== undefined;
    try {
        const options = { container: status.name, lines: LOG_LINES, previous };
        const text = await reader.podLogs(namespace, pod.metadata.name, options);
        const lines = text.split("\n").filter((line) => line.trim() !== "");
        return lines.slice(-LOG_LINES).map((line) => `  log: ${line}`);
    } catch (error) {
        return [`  log: cannot be read: ${messageOf(error)}`];
    }
}

async function eventLines(
    reader: ClusterReader,
    namespace: string,
    kind: string,
    name: string,
): Promise<string[]> {
    try {
        const events = await reader.listEvents(namespace, kind, name);
        return recentWarnings(events).map((event) => `  event: ${describeEvent(event)}`);
    } catch (error) {
        return [`  events of ${kind} ${name} cannot be read: ${messageOf(error)}`];
    }
}

/** The newest warnings, oldest first, as they are read. */
export function recentWarnings(events: KubernetesEvent[]): KubernetesEvent[] {
    const time = (event: KubernetesEvent) =>
        Date.parse(event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? "") || 0;
    return events
        .filter(({ type }) => type === "Warning")
        .sort((a, b) => time(a) - time(b))
        .slice(-EVENTS_SHOWN);
}

function describeEvent({ reason, message, count }: KubernetesEvent): string {
    const times = count !== undefined && count > 1 ? ` (${count} times)` : "";
    return `${reason ?? "unnamed"}: ${(message ?? "").trim()}${times}`;
}

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
