import assert from "node:assert/strict";
import fc from "fast-check";
import program from "../../index";
import { plan, type Desired, type State } from "../../components/plan";
import { Cluster } from "../model/cluster";
import type { Declared } from "../model/engine";
import { programOf } from "../model/program";
import { RULES } from "../model/rules";
import { desiredConfigs } from "../model/sequences";
import { record, type Recording, type Registered } from "../support/mocks";

/** Programs that are compared; each runs once under mocks. */
const PROGRAMS = 60;

/** The stack config that asks for what the model is given. */
function configOf(desired: Desired): Record<string, string> {
    const { name, namespace, strategy, routing, isolation, activeColor, sides } = desired;
    const releases = Object.fromEntries(
        desired.releases.map((release) => [release, { image: `api:${release}` }]),
    );
    const config: Record<string, unknown> = {
        ...sides,
        name,
        namespace,
        releases,
        strategy,
        routing,
        isolation,
        activeColor,
        autoscaling: desired.autoscaling,
        serviceName: desired.serviceName,
        canaryWeight: desired.canaryWeight,
        replicas: desired.replicas,
        idle: desired.idle,
        capacityFloor: desired.capacityFloor,
        gateway: routing === "gateway" ? { parent: { name: "edge" } } : undefined,
    };
    const texts = Object.entries(config)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [
            `cutover:${key}`,
            typeof value === "string" ? value : JSON.stringify(value),
        ]);
    return { "kubernetes:context": "cutover-sandbox", ...Object.fromEntries(texts) };
}

/** The resource of the real program that one of the model's stands for. */
function counterpart({ urn }: Declared, recording: Recording): Registered {
    const [kind = "", name = ""] = urn.split("::");
    switch (kind) {
        case "Deployment":
            return recording.one("kubernetes:apps/v1:Deployment", name);
        case "Autoscaler":
            return recording.one(
                "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
                `${name}-hpa`,
            );
        case "Service":
            return recording.one("kubernetes:core/v1:Service", name);
        default: {
            const [route, ...others] = recording.resources.filter(({ type }) =>
                type.endsWith(":HTTPRoute"),
            );
            assert.ok(route !== undefined && others.length === 0);
            return route;
        }
    }
}

/** What a resource waits for, directly or by others. */
function reach<T>(from: T, next: (of: T) => readonly T[]): Set<T> {
    const found = new Set<T>();
    const visit = (one: T) => {
        for (const other of next(one)) {
            if (found.has(other)) continue;
            found.add(other);
            visit(other);
        }
    };
    visit(from);
    return found;
}

function compareEdges(declared: readonly Declared[], recording: Recording): void {
    const byId = new Map(recording.resources.map((resource) => [resource.id, resource]));
    const real = new Map(declared.map((one) => [one.urn, counterpart(one, recording).id]));
    const modelled = new Map(declared.map((one) => [one.urn, one.dependsOn]));
    const ids = new Set(real.values());
    for (const { urn } of declared) {
        const wanted = [...reach(urn, (of) => modelled.get(of) ?? [])].map((of) => real.get(of));
        const found = [...reach(real.get(urn) ?? "", (of) => byId.get(of)?.dependsOn ?? [])];
        assert.deepEqual(found.filter((id) => ids.has(id)).sort(), wanted.sort(), urn);
    }
}

function compareOptions(one: Declared, real: Registered): void {
    const { spec } = one;
    const annotations = (real.input("metadata.annotations") ?? {}) as Record<string, string>;
    assert.deepEqual(real.input("metadata.name"), one.key.split("/").at(-1), one.urn);
    assert.deepEqual(real.input("metadata.namespace"), one.key.split("/")[0], one.urn);
    switch (spec.kind) {
        case "Deployment": {
            const ignored = one.ignoreReplicas === true ? ["spec.replicas"] : [];
            assert.deepEqual(real.ignoreChanges, ignored, one.urn);
            assert.equal(real.input("spec.replicas"), spec.replicas, one.urn);
            assert.deepEqual(real.input("spec.selector.matchLabels"), spec.selector);
            const labels = real.input("spec.template.metadata.labels") as Record<string, string>;
            for (const [name, value] of Object.entries(spec.labels)) {
                assert.equal(labels[name], value, one.urn);
            }
            const awaited = annotations["pulumi.com/skipAwait"] !== "true";
            assert.equal(awaited, one.awaited ?? false, one.urn);
            const forced = annotations["pulumi.com/patchForce"] === "true";
            assert.equal(forced, one.patchForce ?? false, one.urn);
            assert.equal(real.retainOnDelete, one.retainOnDelete ?? false, one.urn);
            break;
        }
        case "Autoscaler":
            assert.equal(real.input("spec.minReplicas"), spec.min, one.urn);
            assert.equal(real.input("spec.maxReplicas"), spec.max, one.urn);
            break;
        case "Service":
            assert.deepEqual(real.input("spec.selector"), spec.selector, one.urn);
            break;
        case "HTTPRoute":
            break;
    }
}

describe("the model's program", function () {
    this.timeout(180_000);

    it("declares what the real one does, with the same edges and options", () =>
        fc.assert(
            fc.asyncProperty(desiredConfigs, async (history) => {
                const last = history.at(-1) as Desired;
                const previous = history
                    .slice(0, -1)
                    .reduce<State | undefined>((state, one) => plan(state, one).state, undefined);
                if (RULES.transitions(previous, last).length > 0) return;
                const recording = await record(program, {
                    config: configOf(last),
                    lastOutputs: previous && { state: previous },
                });
                const cluster = new Cluster();
                const moved = () => undefined;
                const declared = programOf(plan(previous, last), last, {
                    cluster,
                    rules: RULES,
                    moved,
                });
                const workloads = recording
                    .all("kubernetes:apps/v1:Deployment")
                    .map(({ name }) => name);
                const modelled = declared.filter(({ spec }) => spec.kind === "Deployment");
                assert.deepEqual(
                    workloads.sort(),
                    modelled.map(({ urn }) => urn.split("::")[1]).sort(),
                );
                for (const one of declared) compareOptions(one, counterpart(one, recording));
                compareEdges(declared, recording);
            }),
            { numRuns: PROGRAMS, seed: 1 },
        ));
});
