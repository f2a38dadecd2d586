import assert from "node:assert/strict";
import {
    adoptionPatch,
    keepIgnored,
} from "../../../sandbox/engine/providers/kubernetes/managed-fields";
import type { Inputs } from "../../../sandbox/engine/providers/types";

const ME = "pulumi-kubernetes-1a2b3c4d";

const entry = (manager: string, operation: string, fieldsV1: Inputs, subresource = ""): Inputs => ({
    manager,
    operation,
    fieldsV1,
    ...(subresource === "" ? {} : { subresource }),
});

const replicas = { "f:spec": { "f:replicas": {} } };

const live = (...managedFields: Inputs[]): Inputs => ({
    metadata: { name: "api", resourceVersion: "42", managedFields },
    spec: { replicas: 7, paused: true },
});

describe("taking over the fields of the create", () => {
    it("merges them into the applier's own entry and leaves others alone", () => {
        const status = entry("kube-controller-manager", "Update", { "f:status": {} }, "status");
        const patch = adoptionPatch(
            live(
                entry("pulumi-kubernetes", "Update", { "f:spec": { "f:replicas": {}, "f:a": {} } }),
                status,
                entry("kubectl-edit", "Update", { "f:spec": { "f:b": {} } }),
                entry(ME, "Apply", { "f:spec": { "f:c": {} } }),
            ),
            ME,
        ) as { path: string; value: Inputs[] | string }[];
        assert.deepEqual(
            patch.map(({ path }) => path),
            ["/metadata/managedFields", "/metadata/resourceVersion"],
        );
        assert.deepEqual(patch[0]?.value, [
            status,
            entry(ME, "Apply", { "f:spec": { "f:replicas": {}, "f:a": {}, "f:b": {}, "f:c": {} } }),
        ]);
        assert.equal(patch[1]?.value, "42");
    });

    it("has nothing to do for an applied object, nor for a scaled one", () => {
        const scaled = entry("kubectl-scale", "Update", replicas, "scale");
        assert.equal(adoptionPatch(live(entry(ME, "Apply", replicas), scaled), ME), undefined);
    });
});

describe("ignoreChanges in an apply", () => {
    function apply(object: Inputs, ignoreChanges: string[]): unknown {
        const wanted: Inputs = { spec: { replicas: 3, other: "x" } };
        keepIgnored(wanted, object, ME, ignoreChanges);
        return wanted.spec;
    }

    it("leaves out a field that only another manager owns", () => {
        const scaled = live(entry("kube-controller-manager", "Update", replicas, "scale"));
        assert.deepEqual(apply(scaled, ["spec.replicas"]), { other: "x" });
    });

    it("sends the live value of a field that is ours", () => {
        assert.deepEqual(apply(live(entry(ME, "Apply", replicas)), ["spec.replicas"]), {
            replicas: 7,
            other: "x",
        });
        const shared = live(entry(ME, "Apply", replicas), entry("x", "Apply", replicas));
        assert.deepEqual(apply(shared, ["spec.replicas"]), { replicas: 7, other: "x" });
    });

    it("keeps what is declared where the cluster has nothing", () => {
        assert.deepEqual(apply(live(), ["spec.missing", "spec.list[0].name"]), {
            replicas: 3,
            other: "x",
        });
    });
});
