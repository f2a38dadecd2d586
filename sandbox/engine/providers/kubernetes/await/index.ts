import type { ProviderContext } from "../../types";
import type { KubeClient } from "../client";
import { collectionPath } from "../kinds";
import { type KubeObject, maps, nameOf, namespaceOf, text, uidOf } from "../objects";
import type { RestMapper } from "../rest-mapper";
import { followPath } from "./follow";
import { shortName } from "./pod-state";
import { type Readiness, ReadinessFailure, type Target } from "./readiness";

/** How waiting ended: with the object ready, or with what is wrong. */
export interface Outcome {
    live: KubeObject;
    failure?: { message: string; reasons: string[] };
}

/** Pods' problems are reported this often: a pod that has just started is not a problem yet. */
const REPORT_EVERY_MS = 10_000;
/** Cluster events are only watched when something takes long: most objects are ready by then. */
const EVENTS_AFTER_MS = 3_000;

/** Watches until `readiness` is satisfied, fails for good, times out, or is cancelled. */
export async function awaitReady(
    client: KubeClient,
    mapper: RestMapper,
    context: ProviderContext,
    readiness: Readiness,
    timeoutSeconds: number,
): Promise<Outcome> {
    const name = nameOf(readiness.object);
    const namespace = namespaceOf(readiness.object);
    const stop = new AbortController();
    const timers = new Set<NodeJS.Timeout>();
    const logged = new Set<string>();
    let lost: string | undefined;
    const log = (severity: "info" | "warning", message: string): void => {
        if (message !== "" && !logged.has(message)) {
            logged.add(message);
            context.log(severity, message, true);
        }
    };

    try {
        const outcome = await new Promise<Outcome>((resolve, reject) => {
            const fail = (message: string): void => {
                const reasons = readiness.reasons();
                if (lost !== undefined) reasons.push(`lost sight of the cluster: ${lost}`);
                resolve({ live: readiness.object, failure: { message, reasons } });
            };
            const check = (): void => {
                try {
                    if (readiness.ready()) resolve({ live: readiness.object });
                    else log("info", readiness.progress());
                } catch (error) {
                    if (error instanceof ReadinessFailure) fail(error.message);
                    else reject(asError(error));
                }
            };
            const later = (ms: number, run: () => void): void => {
                timers.add(setTimeout(run, ms));
            };
            const follow = async (target: Target): Promise<void> => {
                const path = await targetPath(mapper, target, namespace, stop.signal);
                await followPath(client, path, targetQuery(target), stop.signal, {
                    onOpen: () => {
                        lost = undefined;
                        readiness.reset(target);
                    },
                    onEvent: (event) => {
                        readiness.observe(target, event);
                        check();
                    },
                    onLost: (error) => {
                        lost = error.message;
                        log("warning", `watching ${target.kind} was interrupted: ${error.message}`);
                    },
                });
            };

            context.signal.addEventListener(
                "abort",
                () => fail(`Resource operation was cancelled for "${name}"`),
                { once: true, signal: stop.signal },
            );
            later(timeoutSeconds * 1000, () => {
                if (readiness.acceptAtTimeout?.() === true) resolve({ live: readiness.object });
                else fail(`'${name}' timed out waiting to be Ready`);
            });
            const report = (): void => {
                for (const warning of readiness.warnings()) log("warning", warning);
                later(REPORT_EVERY_MS, report);
            };
            later(REPORT_EVERY_MS, report);
            later(EVENTS_AFTER_MS, () => {
                void followPath(
                    client,
                    collectionPath("v1", EVENTS, namespace || "default"),
                    {
                        fieldSelector: `involvedObject.uid=${uidOf(readiness.object)},type=Warning`,
                    },
                    stop.signal,
                    {
                        onEvent: ({ object }) =>
                            log("warning", `${text(object, "reason")}: ${text(object, "message")}`),
                    },
                );
            });
            readiness.start?.((ms, run) =>
                later(ms, () => {
                    run();
                    check();
                }),
            );
            log("info", readiness.progress());
            for (const target of readiness.targets) {
                follow(target).catch((error: unknown) => {
                    if (!stop.signal.aborted) reject(asError(error));
                });
            }
            if (context.signal.aborted) fail(`Resource operation was cancelled for "${name}"`);
        });
        if (outcome.failure === undefined) return outcome;
        const { message, reasons } = outcome.failure;
        const more = await podEvents(client, namespace, readiness.unreadyPods(), reasons);
        return { ...outcome, failure: { message, reasons: [...reasons, ...more] } };
    } finally {
        stop.abort();
        for (const timer of timers) clearTimeout(timer);
    }
}

const EVENTS_TIMEOUT_MS = 5_000;

/**
 * The last warning of each kind about `pods`, such as why a probe fails: that is only in their
 * events. What `known` says already is left out.
 */
async function podEvents(
    client: KubeClient,
    namespace: string,
    pods: KubeObject[],
    known: string[],
): Promise<string[]> {
    const found = new Map<string, string>();
    for (const pod of pods) {
        const fieldSelector = `involvedObject.uid=${uidOf(pod)},type=Warning`;
        const options = { query: { fieldSelector }, timeoutMs: EVENTS_TIMEOUT_MS };
        const list = await client
            .request("GET", collectionPath("v1", EVENTS, namespace), options)
            // They are a help; the failure stands without them.
            .catch(() => ({}));
        for (const event of maps(list, "items")) {
            const [reason, message] = [text(event, "reason"), text(event, "message")];
            if (known.some((line) => line.includes(message))) continue;
            found.set(`${nameOf(pod)} ${reason}`, `[Pod ${shortName(pod)}]: ${reason}: ${message}`);
        }
    }
    return [...found.values()];
}

const asError = (error: unknown): Error =>
    error instanceof Error ? error : new Error(String(error));

const EVENTS = { plural: "events", namespaced: true };

/** Looks once, without waiting: is the object ready now? */
export async function checkReady(
    client: KubeClient,
    mapper: RestMapper,
    context: ProviderContext,
    readiness: Readiness,
): Promise<Outcome> {
    const namespace = namespaceOf(readiness.object);
    for (const target of readiness.targets) {
        const path = await targetPath(mapper, target, namespace, context.signal);
        const list = await client.request("GET", path, {
            query: targetQuery(target),
            signal: context.signal,
        });
        for (const item of maps(list, "items")) {
            const object = { apiVersion: target.apiVersion, kind: target.kind, ...item };
            readiness.observe(target, { type: "ADDED", object });
        }
    }
    readiness.settle?.();
    try {
        if (readiness.ready()) return { live: readiness.object };
    } catch (error) {
        if (!(error instanceof ReadinessFailure)) throw error;
    }
    return {
        live: readiness.object,
        failure: {
            message: `Resource '${nameOf(readiness.object)}' was created but failed to initialize`,
            reasons: readiness.reasons(),
        },
    };
}

async function targetPath(
    mapper: RestMapper,
    target: Target,
    namespace: string,
    signal: AbortSignal,
): Promise<string> {
    const mapping = await mapper.mapping(target.apiVersion, target.kind, signal);
    return collectionPath(target.apiVersion, mapping, namespace);
}

const targetQuery = (target: Target): Record<string, string | undefined> => ({
    labelSelector: target.labelSelector,
    fieldSelector: target.name === undefined ? undefined : `metadata.name=${target.name}`,
});
