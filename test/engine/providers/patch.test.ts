import assert from "node:assert/strict";
import { kubernetes } from "../../../sandbox/engine/providers/kubernetes/index";
import type { Inputs, ResourceProvider } from "../../../sandbox/engine/providers/types";
import {
    CONTROL_PLANE_TIMEOUT_MS,
    patchAs,
    sharedCluster,
    type TestCluster,
} from "./control-plane";
import { checked, contextOf } from "./support";

const TYPE = "kubernetes:core/v1:NamespacePatch";

describe("NamespacePatch against an API server", function () {
    this.timeout(60_000);
    let cluster: TestCluster;
    let provider: ResourceProvider;
    const context = contextOf(TYPE);

    before(async function () {
        this.timeout(CONTROL_PLANE_TIMEOUT_MS);
        cluster = await sharedCluster();
        provider = await kubernetes.configure({ kubeconfig: cluster.kubeconfig });
    });

    const wanted = (name: string, labels: Inputs): Inputs => ({ metadata: { name, labels } });

    async function create(inputs: Inputs) {
        const ready = await checked(provider, context, inputs);
        const { id, outputs } = await provider.create(context, { inputs: ready, preview: false });
        return { id, inputs: ready, outputs };
    }

    async function labelsOf(name: string): Promise<Inputs | undefined> {
        const all = (await cluster.client.request("GET", "/api/v1/namespaces")) as {
            items: { metadata: { name: string; labels: Inputs } }[];
        };
        const labels = all.items.find(({ metadata }) => metadata.name === name)?.metadata.labels;
        delete labels?.["kubernetes.io/metadata.name"];
        return labels;
    }

    it("makes the namespace, and leaves it when it is deleted", async () => {
        const patch = await create(wanted("made", { team: "a" }));
        assert.equal(patch.id, "made");
        assert.deepEqual(await labelsOf("made"), { team: "a" });
        await provider.delete(context, patch);
        assert.deepEqual(await labelsOf("made"), {});
    });

    it("adopts a namespace that is there, and takes nothing but its own fields", async () => {
        const item = "/api/v1/namespaces/there";
        await cluster.client.request("POST", "/api/v1/namespaces", {
            body: { apiVersion: "v1", kind: "Namespace", metadata: { name: "there" } },
        });
        await patchAs(cluster.client, "somebody", item, { metadata: { labels: { other: "b" } } });
        const patch = await create(wanted("there", { team: "a" }));
        assert.deepEqual(await labelsOf("there"), { other: "b", team: "a" });

        const inputs = await checked(
            provider,
            context,
            wanted("there", { team: "c" }),
            patch.inputs,
        );
        const { id, inputs: oldInputs, outputs: oldOutputs } = patch;
        const request = { id, oldInputs, oldOutputs, inputs, ignoreChanges: [], preview: false };
        const { outputs } = await provider.update(context, request);
        assert.deepEqual(await labelsOf("there"), { other: "b", team: "c" });
        await provider.delete(context, { id, inputs, outputs });
        assert.deepEqual(await labelsOf("there"), { other: "b" });
    });

    it("refuses a field that is somebody else's, unless it is told to force", async () => {
        await create(wanted("shared", { team: "a" }));
        await assert.rejects(create(wanted("shared", { team: "b" })), /conflict/i);
        const forced = wanted("shared", { team: "b" });
        (forced.metadata as Inputs).annotations = { "pulumi.com/patchForce": "true" };
        await create(forced);
        assert.deepEqual(await labelsOf("shared"), { team: "b" });
    });

    it("does not make the namespace anew to give its fields up", async () => {
        const patch = await create(wanted("gone", { team: "a" }));
        await provider.delete(context, { ...patch, id: "never-there" });
        assert.equal(await labelsOf("never-there"), undefined);
    });

    it("shows its inputs in a preview, without a request", async () => {
        const inputs = await checked(provider, context, wanted("shown", { team: "a" }));
        const { outputs } = await provider.create(context, { inputs, preview: true });
        assert.deepEqual(outputs, inputs);
        assert.equal(await labelsOf("shown"), undefined);
    });

    it("needs a name", async () => {
        await assert.rejects(
            checked(provider, context, {}),
            /require the `\.metadata\.name` field/,
        );
    });
});
