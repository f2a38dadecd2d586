import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { AppsV1Api, CoreV1Api, type V1Pod } from "@kubernetes/client-node";
import { NGINX_IMAGE } from "../../sandbox/images/table";
import { deleteNamespace } from "../../scripts/demo/cluster";
import { ConnectionKind, type Sample } from "../../scripts/prober";
import type { Cluster } from "./cluster";
import { LoadedStack, REQUESTS_PER_TRANSITION, type TestStackOptions } from "./e2e";
import type { Transition } from "./e2e";
import { until } from "./kube";
import { Program } from "./program";

/** Pods that end have a preStop sleep of 10 s and a grace of 30 s. */
const SETTLE_SECONDS = 90;

/** Config of a router that fits beside others on a small node. */
export const SMALL_ROUTER = {
    image: NGINX_IMAGE,
    resources: { requests: { memory: "32Mi", cpu: "25m", "ephemeral-storage": "64Mi" } },
};

/**
 * Set where nothing else runs on the machine: only then does latency say something, and then no
 * transition's p99 may be more than twice that of no-op updates.
 */
const QUIET = process.env.CUTOVER_E2E_QUIET === "true";
const MOST_P99_RATIO = 2;

/** How many pods a Deployment has: what was asked for, and what is ready. */
export interface Sizes {
    wanted: number;
    ready: number;
}

/** A stack of the program that goes from state to state under load, in all of its namespaces. */
export class StrategyStack {
    private running: LoadedStack | undefined;

    private constructor(
        readonly program: Program,
        private readonly cluster: Cluster,
    ) {}

    /** Opens a stack with `config` (keys as in `Program.configure`), not yet deployed. */
    static async open(
        cluster: Cluster,
        options: TestStackOptions,
        config: Record<string, unknown>,
    ): Promise<StrategyStack> {
        const program = await Program.open(cluster, options);
        const stack = new StrategyStack(program, cluster);
        await stack.removeColorNamespaces();
        program.configure(config);
        return stack;
    }

    get load(): LoadedStack {
        assert.ok(this.running, "no load before the first deployment");
        return this.running;
    }

    /** The first `up`, then load, then no-op updates under it: the latency to compare with. */
    async deploy(): Promise<void> {
        await this.program.mustUp();
        await this.settle();
        this.running = await LoadedStack.start(this.program.target);
        const { run } = await this.running.baseline();
        assert.deepEqual(run.changes, [], "a second up changes nothing");
    }

    /**
     * Changes config for good, runs `up` under load, and waits until all pods have settled. With
     * `broken`, the same is first tried with this on top, which must fail and leave the traffic alone.
     */
    async change(
        name: string,
        config: Record<string, unknown>,
        broken?: Record<string, unknown>,
    ): Promise<Transition> {
        const transition = await this.load.transition(name, async () => {
            if (broken !== undefined) await this.fail({ ...config, ...broken });
            this.program.configure(config);
            const run = await this.program.target.stack.up();
            await this.settle();
            return run;
        });
        const { requests, p99Ratio } = transition.row;
        assert.ok(requests >= REQUESTS_PER_TRANSITION);
        if (QUIET) assert.ok(p99Ratio <= MOST_P99_RATIO, `p99 was ${p99Ratio} times the no-ops'`);
        await this.program.mustBeUpToDate();
        return transition;
    }

    private async fail(config: Record<string, unknown>): Promise<void> {
        const before = await this.output("weights");
        const failed = await this.program.with(config, () => this.program.up());
        assert.notEqual(failed.code, 0, `did not fail:\n${failed.output}`);
        assert.deepEqual(await this.output("weights"), before);
    }

    /** What a preview with some config changed says, which must refuse it. */
    async refusal(config: Record<string, unknown>): Promise<string> {
        const preview = await this.program.with(config, () => this.program.preview());
        assert.notEqual(preview.code, 0, `not refused:\n${preview.output}`);
        return preview.output;
    }

    /** Every Deployment of the API by name; `namespace/name` outside of the stack's own namespace. */
    async sizes(): Promise<Record<string, Sizes>> {
        const api = this.client.makeApiClient(AppsV1Api);
        const found: Record<string, Sizes> = {};
        for (const namespace of this.namespaces) {
            const { items } = await api.listNamespacedDeployment({ namespace });
            for (const { metadata, spec, status } of items) {
                const own = namespace === this.program.namespace;
                const name = `${own ? "" : `${namespace}/`}${metadata?.name}`;
                found[name] = { wanted: spec?.replicas ?? 1, ready: status?.readyReplicas ?? 0 };
            }
        }
        return found;
    }

    /** The pods of the API itself that match `labels`. */
    async pods(labels: Record<string, string>, namespace = this.program.namespace) {
        const labelSelector = Object.entries(labels)
            .map(([key, value]) => `${key}=${value}`)
            .join(",");
        const api = this.client.makeApiClient(CoreV1Api);
        return (await api.listNamespacedPod({ namespace, labelSelector })).items;
    }

    /** One of the stack's outputs, as the engine has it after the last `up`. */
    async output(name: string): Promise<unknown> {
        return (await this.program.target.stack.outputs())[name]?.value;
    }

    async close(): Promise<void> {
        try {
            await this.running?.stop();
        } finally {
            await this.program.close();
            await this.removeColorNamespaces();
        }
    }

    get client() {
        return this.program.target.cluster.client;
    }

    private get namespaces(): string[] {
        const { namespace } = this.program;
        return [namespace, `${namespace}-blue`, `${namespace}-green`];
    }

    /** Waits until no pod of any of the namespaces is starting or ending. */
    private async settle(): Promise<void> {
        const api = this.client.makeApiClient(CoreV1Api);
        await until("pods to settle", SETTLE_SECONDS, async () => {
            for (const namespace of this.namespaces) {
                const { items } = await api.listNamespacedPod({ namespace });
                if (!items.every(isSettled)) return false;
            }
            return true;
        });
    }

    /** What `destroy` leaves: the namespaces are patched by the program, not owned. */
    private async removeColorNamespaces(): Promise<void> {
        for (const namespace of this.namespaces.slice(1)) {
            await deleteNamespace(this.program.target.cluster, namespace);
        }
    }
}

function isSettled({ metadata, status }: V1Pod): boolean {
    const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status;
    return metadata?.deletionTimestamp === undefined && ready === "True";
}

/** Percent of the answers to new connections that came from `release`. */
export function shareOf(samples: readonly Sample[], release: string, since = 0): number {
    const fresh = samples.filter(
        ({ kind, ok, start }) => kind === ConnectionKind.new && ok && start >= since,
    );
    assert.ok(fresh.length > 0, "no answers on new connections");
    return (100 * fresh.filter((sample) => sample.release === release).length) / fresh.length;
}

/** What a Deployment went through while it was watched. */
export interface Watched {
    /** Fewest available pods at any time. */
    leastAvailable: number;
    /** Most pods at any time, those that are ending not counted. */
    mostPods: number;
}

/** Looks at a Deployment every 100 ms while `work` goes on. */
export async function watching<T>(
    stack: StrategyStack,
    name: string,
    work: () => Promise<T>,
): Promise<{ result: T; watched: Watched }> {
    const api = stack.client.makeApiClient(AppsV1Api);
    const watched: Watched = { leastAvailable: Infinity, mostPods: 0 };
    let over = false;
    const look = async () => {
        while (!over) {
            const { namespace } = stack.program;
            const { status } = await api.readNamespacedDeployment({ namespace, name });
            watched.leastAvailable = Math.min(
                watched.leastAvailable,
                status?.availableReplicas ?? 0,
            );
            watched.mostPods = Math.max(watched.mostPods, status?.replicas ?? 0);
            await sleep(100);
        }
    };
    const looking = look();
    try {
        const result = await work();
        return { result, watched };
    } finally {
        over = true;
        await looking;
    }
}
