import * as pulumi from "@pulumi/pulumi";
import { NamespacePatch } from "@pulumi/kubernetes/core/v1/namespacePatch";
import { namespaceLabels } from "../../../../components/labels";
import { Postgres } from "../../../../components/postgres";

const config = new pulumi.Config();
const namespace = config.require("namespace");

// As the real program makes it: it outlives `destroy`, and the volume with it.
const owner = new NamespacePatch(namespace, {
    metadata: { name: namespace, labels: namespaceLabels },
});
const postgres = new Postgres(
    "postgres",
    {
        namespace,
        image: config.get("image"),
        storage: "256Mi",
        resources: {
            requests: { cpu: "25m", memory: "128Mi" },
            limits: { cpu: "1", memory: "512Mi" },
        },
        passwordVersion: config.get("passwordVersion"),
    },
    { dependsOn: owner },
);

export const keptOnDestroy = postgres.keptOnDestroy;
