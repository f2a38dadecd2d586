import { readFileSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { run } from "../../sandbox/images/run";
import { ApiError } from "../../sandbox/engine/providers/kubernetes/api-error";
import { KubeClient } from "../../sandbox/engine/providers/kubernetes/client";
import { loadCluster } from "../../sandbox/engine/providers/kubernetes/kubeconfig";
import type { Json } from "../../sandbox/engine/providers/types";
import type { Cluster } from "./cluster";
import { until } from "./kube";

const GROUP = "gateway.networking.k8s.io";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const KINDS = ["gatewayclasses", "gateways", "httproutes", "referencegrants"];
/** Tells the CRDs of a run that was killed from those of the cluster's owner. */
const MARK = "cutover.local/made-by-tests";

/** A client without types: a generated one drops the fields of CRDs that it does not know. */
export function openClient({
    kubeconfig,
    context,
}: Pick<Cluster, "kubeconfig" | "context">): KubeClient {
    return new KubeClient(loadCluster({ kubeconfig, context }));
}

/** Removes the CRDs that a test run installed and, having been killed, left behind. */
export async function removeGatewayApi(client: KubeClient): Promise<void> {
    const labelSelector = `${MARK}=true`;
    const ours = async () =>
        (await client.request("GET", CRDS, { query: { labelSelector } })).items as {
            metadata: { name: string };
        }[];
    for (const { metadata } of await ours()) await remove(client, `${CRDS}/${metadata.name}`);
    await until("the Gateway API to be gone", 60, async () => (await ours()).length === 0);
}

/**
 * Installs those of the Gateway API's CRDs that the cluster does not have, of the release that
 * `gateway-api/go.mod` pins.
 */
export async function installGatewayApi(client: KubeClient): Promise<void> {
    const cwd = path.join(__dirname, "gateway-api");
    const module = await run("go", ["mod", "download", "-json", "sigs.k8s.io/gateway-api"], {
        cwd,
        env: { ...process.env, GOWORK: "off" },
    });
    const { Dir: folder } = JSON.parse(module) as { Dir: string };
    for (const kind of KINDS) {
        const file = path.join(folder, "config/crd/standard", `${GROUP}_${kind}.yaml`);
        await installCrd(client, parse(readFileSync(file, "utf8")) as CustomDefinition);
    }
}

interface CustomDefinition {
    metadata: { name: string };
    spec: { group: string; names: { plural: string }; versions: { name: string }[] };
}

async function installCrd(client: KubeClient, crd: CustomDefinition): Promise<void> {
    const { name } = crd.metadata;
    if ((await get(client, `${CRDS}/${name}`)) !== undefined) return;
    const body = { ...crd, metadata: { ...crd.metadata, labels: { [MARK]: "true" } } };
    await client.request("POST", CRDS, { body: body as unknown as Json });
    const { group, names, versions } = crd.spec;
    const served = versions.map((version) => `/apis/${group}/${version.name}/${names.plural}`);
    await until(`${names.plural} to be served`, 30, async () => {
        const lists = await Promise.all(served.map((list) => get(client, list)));
        return lists.every((list) => list !== undefined);
    });
}

/** An object; undefined when there is none. */
export async function get<T = Json>(client: KubeClient, at: string): Promise<T | undefined> {
    try {
        return (await client.request("GET", at)) as T;
    } catch (error) {
        if (error instanceof ApiError && error.code === 404) return undefined;
        throw error;
    }
}

/** Deletes an object if it is there. */
export async function remove(client: KubeClient, at: string): Promise<void> {
    try {
        await client.request("DELETE", at);
    } catch (error) {
        if (!(error instanceof ApiError && error.code === 404)) throw error;
    }
}

interface Meta {
    name: string;
    namespace: string;
    generation: number;
}
interface Gateway {
    metadata: Meta;
    spec: {
        gatewayClassName: string;
        listeners: { allowedRoutes?: { namespaces?: { from?: string } } }[];
    };
    status?: Json;
}
interface Ref {
    name: string;
    namespace?: string;
}
interface HttpRoute {
    metadata: Meta;
    spec: { parentRefs: Ref[]; rules: { backendRefs: Ref[] }[] };
    status?: { parents: Json };
}
interface Grant {
    spec: {
        from: { kind: string; namespace: string }[];
        to: { kind: string; name?: string }[];
    };
}
type Problem = [reason: string, message: string];

/**
 * What a controller does with HTTPRoutes short of carrying traffic: it sets their conditions, by the
 * Gateway API's own rules on listeners, Services and ReferenceGrants. It takes care of the Gateways of
 * one class only.
 */
export class StatusStub {
    /** Whether it works at all. */
    answers = true;
    private stopped = false;
    private working: Promise<void> | undefined;

    constructor(
        private readonly client: KubeClient,
        private readonly className: string,
        private readonly controllerName: string,
    ) {}

    start(): void {
        const work = async (): Promise<void> => {
            while (!this.stopped) {
                if (this.answers) await this.once();
                await new Promise((resolve) => setTimeout(resolve, 100));
            }
        };
        this.working = work();
        // Told by `stop`, and not as an unhandled rejection before.
        this.working.catch(() => undefined);
    }

    async stop(): Promise<void> {
        this.stopped = true;
        await this.working;
    }

    private async once(): Promise<void> {
        const all = await this.list<Gateway>("v1/gateways");
        const gateways = all.filter(({ spec }) => spec.gatewayClassName === this.className);
        for (const gateway of gateways) {
            const { namespace, name, generation } = gateway.metadata;
            const conditions = [
                condition("Accepted", generation),
                condition("Programmed", generation),
            ];
            await this.write(`namespaces/${namespace}/gateways/${name}`, gateway.status, {
                conditions,
            });
        }
        for (const route of await this.list<HttpRoute>("v1/httproutes")) {
            await this.judge(route, gateways);
        }
    }

    private async judge(route: HttpRoute, gateways: Gateway[]): Promise<void> {
        const { namespace, name, generation } = route.metadata;
        const parents = [];
        for (const parentRef of route.spec.parentRefs) {
            const gateway = gateways.find(
                ({ metadata }) =>
                    metadata.name === parentRef.name &&
                    metadata.namespace === (parentRef.namespace ?? namespace),
            );
            if (gateway === undefined) continue;
            parents.push({
                parentRef,
                controllerName: this.controllerName,
                conditions: [
                    condition("Accepted", generation, admission(gateway, namespace)),
                    condition("ResolvedRefs", generation, await this.resolution(route)),
                ],
            });
        }
        if (parents.length === 0) return;
        await this.write(`namespaces/${namespace}/httproutes/${name}`, route.status, { parents });
    }

    private async resolution({ metadata, spec }: HttpRoute): Promise<Problem | undefined> {
        for (const { name, namespace } of spec.rules.flatMap(({ backendRefs }) => backendRefs)) {
            const owner = namespace ?? metadata.namespace;
            if (
                owner !== metadata.namespace &&
                !(await this.granted(metadata.namespace, owner, name))
            ) {
                return ["RefNotPermitted", `Service ${owner}/${name} grants nothing`];
            }
            const service = `/api/v1/namespaces/${owner}/services/${name}`;
            if ((await get(this.client, service)) === undefined) {
                return ["BackendNotFound", `there is no Service ${owner}/${name}`];
            }
        }
        return undefined;
    }

    private async granted(from: string, owner: string, service: string): Promise<boolean> {
        const grants = await this.list<Grant>(`v1beta1/namespaces/${owner}/referencegrants`);
        return grants.some(
            ({ spec }) =>
                spec.from.some((one) => one.kind === "HTTPRoute" && one.namespace === from) &&
                spec.to.some((one) => one.kind === "Service" && (one.name ?? service) === service),
        );
    }

    private async list<T>(collection: string): Promise<T[]> {
        return (
            (await get<{ items: T[] }>(this.client, `/apis/${GROUP}/${collection}`))?.items ?? []
        );
    }

    /** Writes a status that is not there yet; an object may be gone by now. */
    private async write(object: string, before: unknown, status: object): Promise<void> {
        if (isDeepStrictEqual(before, status)) return;
        try {
            await this.client.request("PATCH", `/apis/${GROUP}/v1/${object}/status`, {
                body: { status: status as Json },
                contentType: "application/merge-patch+json",
            });
        } catch (error) {
            if (!(error instanceof ApiError && error.code === 404)) throw error;
        }
    }
}

/** Listeners let in routes of their own namespace only, unless they say otherwise. */
function admission({ metadata, spec }: Gateway, namespace: string): Problem | undefined {
    const open = spec.listeners.some(
        ({ allowedRoutes }) =>
            metadata.namespace === namespace || allowedRoutes?.namespaces?.from === "All",
    );
    return open
        ? undefined
        : ["NotAllowedByListeners", `no listener lets routes of ${namespace} in`];
}

function condition(type: string, observedGeneration: number, problem?: Problem) {
    const [reason, message] = problem ?? [type, ""];
    return {
        type,
        status: problem === undefined ? "True" : "False",
        reason,
        message,
        observedGeneration,
        lastTransitionTime: "2026-01-01T00:00:00Z",
    };
}
