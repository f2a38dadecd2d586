import assert from "node:assert/strict";
import * as path from "node:path";
import { ComponentProvider } from "@pulumi/pulumi/provider/experimental/provider";
import * as components from "../../components";

const root = path.join(__dirname, "..", "..");

/** What `pulumi package add` would learn about the package, which other languages go by. */
async function schemaOf(): Promise<{
    resources: Record<string, { requiredInputs?: string[]; properties?: object }>;
}> {
    const { BlueGreen, Canary, Rolling, Route, Workload, Autoscaler, Postgres } = components;
    const { ExternalDatabase, DatabaseAlias, DatabaseSecret, Disruption } = components;
    const provider = new ComponentProvider({
        components: [
            BlueGreen,
            Canary,
            Rolling,
            Route,
            Workload,
            Autoscaler,
            Postgres,
            ExternalDatabase,
            DatabaseAlias,
            DatabaseSecret,
            Disruption,
        ],
        dirname: root,
        name: "cutover",
    });
    return JSON.parse(await provider.getSchema()) as Awaited<ReturnType<typeof schemaOf>>;
}

describe("the schema of the package", function () {
    this.timeout(60_000);

    it("can be inferred from the components, and asks for little", async () => {
        const { resources } = await schemaOf();
        const required = Object.entries(resources).map(([token, { requiredInputs }]) => [
            token,
            requiredInputs,
        ]);
        assert.deepEqual(Object.fromEntries(required), {
            "cutover:index:Autoscaler": ["deployment", "maxReplicas", "minReplicas", "namespace"],
            "cutover:index:BlueGreen": ["releases"],
            "cutover:index:Canary": ["releases", "stable"],
            "cutover:index:DatabaseAlias": ["clusterHost", "namespace"],
            "cutover:index:DatabaseSecret": ["color", "database", "namespace", "password", "user"],
            "cutover:index:Disruption": ["deployment", "namespace", "selector"],
            "cutover:index:ExternalDatabase": ["host", "namespace"],
            "cutover:index:Postgres": ["namespace"],
            "cutover:index:Rolling": ["current", "releases"],
            "cutover:index:Route": ["gate", "namespace", "port", "selector", "serviceName"],
            "cutover:index:Workload": [
                "app",
                "deployment",
                "image",
                "namespace",
                "release",
                "replicas",
                "selector",
                "serviceAccount",
            ],
        });
        assert.deepEqual(
            Object.keys(resources["cutover:index:BlueGreen"]?.properties ?? {}).sort(),
            ["activeColor", "previewUrl", "service", "state", "url"],
        );
    });
});
