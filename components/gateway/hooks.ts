import type { ObjectReader } from "../gate/client";
import { blind, engineContext, withReader, type GateLog } from "../gate/engine";
import { GateError } from "../gate/spec";
import { waitFor, type Clock, type Look } from "../gate/wait";
import { ACCEPT_DEADLINE_SECONDS, ROUTE_API_VERSION } from "./defaults";
import {
    explainGateway,
    gatewayPath,
    GROUP_PATH,
    judgeRoute,
    routePath,
    type LiveGateway,
    type LiveRoute,
    type NamedParent,
    type RouteVerdict,
} from "./status";

/** Which route is to be accepted by whom, and in which cluster. */
export interface AcceptanceSpec {
    /** Context of the kubeconfig; only an inline kubeconfig may leave it out. */
    context: string | undefined;
    /** Path or content of a kubeconfig. Defaults to `KUBECONFIG`, then `~/.kube/config`. */
    kubeconfig?: string;
    namespace: string;
    /** Name of the HTTPRoute. */
    route: string;
    parent: NamedParent;
    /** Defaults to `ACCEPT_DEADLINE_SECONDS`. */
    deadlineSeconds?: number;
}

/** The world outside, which tests replace. */
export interface AcceptanceContext {
    connect(
        spec: Pick<AcceptanceSpec, "context" | "kubeconfig">,
    ): Promise<Pick<ObjectReader, "getObject" | "close">>;
    clock: Clock;
    log: GateLog;
}

type Reader = Pick<ObjectReader, "getObject" | "close">;

/**
 * Waits until a controller carries out the route as it is now; throws `GateError` when none does by
 * the deadline. A condition that is false is waited out too: controllers say so of a Service or a grant
 * that was made a moment ago and that they have not heard of yet.
 */
export async function awaitAccepted(
    spec: AcceptanceSpec,
    context: AcceptanceContext = engineContext,
): Promise<void> {
    const { namespace, route } = spec;
    const label = `HTTPRoute ${namespace}/${route}`;
    await withReader(spec, context, async (reader) => {
        const controller = await awaitVerdict(spec, label, reader, context);
        context.log.info(`${controller} accepted ${label}`);
    }).catch((error: unknown) => {
        throw blind(error)
            ? new GateError(`${label} is written, but it cannot be checked: ${error.message}`)
            : error;
    });
}

async function awaitVerdict(
    spec: AcceptanceSpec,
    label: string,
    reader: Reader,
    { clock, log }: AcceptanceContext,
): Promise<string> {
    const { deadlineSeconds = ACCEPT_DEADLINE_SECONDS } = spec;
    let last: RouteVerdict | undefined;
    const look = async (): Promise<Look<string>> => {
        const live = await reader.getObject<LiveRoute>(routePath(spec.namespace, spec.route));
        if (live === undefined) throw new GateError(`${label} was written, and is gone`);
        last = judgeRoute(live, spec.parent);
        return last.accepted ? { done: last.controller } : { because: last.because };
    };
    const { value, because } = await waitFor(look, {
        deadlineSeconds,
        clock,
        say: (line) => log.info(`waiting for ${label}: ${line}`, true),
    });
    if (value !== undefined) return value;
    const unclaimed = last !== undefined && !last.accepted && last.unclaimed;
    const cause = unclaimed ? await causeOf(spec, reader) : "";
    throw new GateError(`${label} is written, but after ${deadlineSeconds} s ${because}${cause}`);
}

/** What is wrong with the Gateway, where it may be read: it may belong to somebody else. */
async function causeOf({ parent }: AcceptanceSpec, reader: Reader): Promise<string> {
    const path = gatewayPath(parent.namespace, parent.name);
    try {
        return `: ${explainGateway(labelOf(parent), await reader.getObject<LiveGateway>(path))}`;
    } catch (error) {
        if (blind(error)) return "";
        throw error;
    }
}

/** Says in preview what would keep the route from being accepted and can be seen already. */
export async function previewAccepted(
    spec: AcceptanceSpec,
    context: AcceptanceContext = engineContext,
): Promise<void> {
    const { parent } = spec;
    try {
        await withReader(spec, context, async (reader) => {
            if ((await reader.getObject(GROUP_PATH)) === undefined) {
                context.log.warn(
                    `the cluster does not know ${ROUTE_API_VERSION}: the Gateway API's CRDs must be there before this update`,
                );
                return;
            }
            const gateway = await reader.getObject(gatewayPath(parent.namespace, parent.name));
            if (gateway !== undefined) return;
            context.log.warn(
                `Gateway ${labelOf(parent)} does not exist; without it no controller accepts the route`,
            );
        });
    } catch (error) {
        if (!blind(error)) throw error;
        context.log.warn(
            `Gateway ${labelOf(parent)} cannot be checked in this preview: ${error.message}`,
        );
    }
}

function labelOf({ namespace, name }: NamedParent): string {
    return `${namespace}/${name}`;
}
