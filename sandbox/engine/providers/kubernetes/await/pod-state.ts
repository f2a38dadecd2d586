import type { Inputs } from "../../types";
import {
    conditionOf,
    integer,
    isOwnedBy,
    type KubeObject,
    maps,
    nameOf,
    namespaceOf,
    pluck,
    text,
} from "../objects";

interface PodState {
    ready: boolean;
    waitingFor: "scheduled" | "initialized" | "ready";
    /** Why it is not there yet, if the pod says so. */
    problem?: string;
}

/** Where a pod is on its way to ready, and what holds it up; the wording is the provider's. */
export function podState(pod: KubeObject): PodState {
    const scheduled = conditionOf(pod, "PodScheduled");
    if (scheduled?.status !== "True") {
        return { ready: false, waitingFor: "scheduled", problem: problem(pod, scheduled, []) };
    }
    const initialized = conditionOf(pod, "Initialized");
    if (initialized?.status !== "True") {
        const errors = containerErrors(maps(pod, "status", "initContainerStatuses"));
        return {
            ready: false,
            waitingFor: "initialized",
            problem: problem(pod, initialized, errors),
        };
    }
    const ready = conditionOf(pod, "Ready");
    if (ready?.status === "True" || text(pod, "status", "phase") === "Succeeded") {
        return { ready: true, waitingFor: "ready" };
    }
    const errors = containerErrors(maps(pod, "status", "containerStatuses"));
    return { ready: false, waitingFor: "ready", problem: problem(pod, ready, errors) };
}

/** Those of `pods` that `owner` made and that are not ready. */
export const unreadyPodsOf = (owner: KubeObject, pods: KubeObject[]): KubeObject[] =>
    pods.filter((pod) => isOwnedBy(pod, owner) && !podState(pod).ready);

/** What holds up those of `pods` that are not ready. */
export const podProblems = (pods: KubeObject[]): string[] =>
    pods.flatMap((pod) => podState(pod).problem ?? []);

/** `namespace/name`; the default namespace goes without saying. */
export function shortName(object: KubeObject): string {
    const namespace = namespaceOf(object);
    return namespace === "" || namespace === "default"
        ? nameOf(object)
        : `${namespace}/${nameOf(object)}`;
}

function problem(
    pod: KubeObject,
    condition: Inputs | undefined,
    errors: string[],
): string | undefined {
    const message = text(condition, "reason") === "" ? "" : text(condition, "message");
    if (message === "" && errors.length === 0) return undefined;
    return `[Pod ${shortName(pod)}]: ${message}${errors.join("\n")}`;
}

function containerErrors(statuses: Inputs[]): string[] {
    return statuses.flatMap((status) => {
        if (status.ready === true) return [];
        return [
            ...waiting(pluck(status, "state", "waiting") as Inputs | undefined),
            ...terminated(status, pluck(status, "state", "terminated") as Inputs | undefined),
            ...lastTermination(
                status,
                pluck(status, "lastState", "terminated") as Inputs | undefined,
            ),
        ];
    });
}

/** Every container passes through these. */
const ORDINARY_WAITS = ["ContainerCreating", "PodInitializing"];

function waiting(state: Inputs | undefined): string[] {
    const reason = text(state, "reason");
    if (state === undefined || ORDINARY_WAITS.includes(reason)) return [];
    return [`[${reason}] ${trimRpcPrefix(text(state, "message"))}`];
}

function terminated(status: Inputs, state: Inputs | undefined): string[] {
    const reason = text(state, "reason");
    // An init container that is done.
    if (state === undefined || reason === "" || reason === "Completed") return [];
    const message = text(state, "message");
    return message === ""
        ? [
              `container "${text(status, "name")}" completed with exit code ${integer(state, "exitCode") ?? "unknown"}`,
          ]
        : [`[${reason}] ${trimRpcPrefix(message)}`];
}

/** A container that crashed before: when, how, and its last words. */
function lastTermination(status: Inputs, state: Inputs | undefined): string[] {
    if (state === undefined) return [];
    const message = text(state, "message");
    return [
        `container "${text(status, "name")}" terminated at ${text(state, "finishedAt")} ` +
            `(${text(state, "reason")}: exit code ${integer(state, "exitCode") ?? "unknown"})`,
        ...(message === "" ? [] : [message]),
    ];
}

const trimRpcPrefix = (message: string): string =>
    message
        .replace(/^rpc error: code = Unknown desc = Error response from daemon: /, "")
        .replace(/: manifest unknown$/, "");
