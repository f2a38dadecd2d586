import * as pulumi from "@pulumi/pulumi";
import { NamespacePatch } from "@pulumi/kubernetes/core/v1/namespacePatch";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import { namespaceLabels } from "../../../../components/labels";
import { accessFrom, accessTo, type DatabaseAccess } from "../../../../components/postgres/access";
import { lastDatabaseState } from "../../../../components/postgres/claim";
import { createDatabase, type DatabaseArgs } from "../../../../components/postgres/create";
import { Workload } from "../../../../components/workload";

const APP = "api";
const PORT = 9999;
const SMALL = {
    requests: { cpu: "25m", memory: "64Mi" },
    limits: { cpu: "500m", memory: "256Mi" },
};

/** The sample API in one namespace, as reached on the node's port. */
function api(
    namespace: string,
    image: string,
    nodePort: number,
    access: DatabaseAccess,
    opts: pulumi.ComponentResourceOptions,
): Workload {
    const metadata = { name: APP, namespace };
    const account = new ServiceAccount(
        namespace,
        { metadata, automountServiceAccountToken: false },
        opts,
    );
    const selector = { app: APP };
    new Service(
        namespace,
        {
            metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
            spec: { type: "NodePort", selector, ports: [{ port: PORT, nodePort }] },
        },
        opts,
    );
    return new Workload(
        namespace,
        {
            app: APP,
            deployment: APP,
            namespace,
            selector,
            release: "1.0.0",
            image,
            replicas: 1,
            api: {
                resources: SMALL,
                probes: { readiness: { path: "/ready", initialDelaySeconds: 1, periodSeconds: 1 } },
                lifecycle: { preStopSleepSeconds: 1, terminationGracePeriodSeconds: 10 },
                annotations: access.annotations,
            },
            env: access.env,
            secretEnv: access.secretEnv,
            secretFiles: access.secretFiles,
            serviceAccount: account.metadata.name,
        },
        { ...opts, dependsOn: access.resources },
    );
}

export = async (): Promise<Record<string, unknown>> => {
    const config = new pulumi.Config();
    const namespace = config.require("namespace");
    const image = config.require("apiImage");
    const nodePort = config.requireNumber("nodePort");
    // Plain, as the real program gets it: marking it secret is for the components to do.
    const settings = JSON.parse(
        pulumi.runtime.allConfig()[`${pulumi.getProject()}:database`] ?? "{}",
    ) as Partial<DatabaseArgs> & { urlAsEnv?: boolean };
    const { urlAsEnv, ...database } = settings;

    const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
    const self = new pulumi.StackReference("previous", { name });
    const { value } = await self.getOutputDetails("databaseState");
    const previous = await lastDatabaseState(value, database);

    const patch = (of: string) =>
        new NamespacePatch(of, { metadata: { name: of, labels: namespaceLabels } });
    const dependsOn = patch(namespace);
    const shared = createDatabase(
        "postgres",
        {
            namespace,
            previous,
            ...(database.host === undefined && {
                image: config.get("image"),
                resources: SMALL,
            }),
            ...database,
        },
        { dependsOn },
    );
    if (config.getBoolean("fail") === true) {
        await new Promise((resolve) => shared.state.apply(resolve));
        throw new pulumi.RunError("failed on purpose, with the database in place");
    }
    const color = `${namespace}-blue`;
    const access = accessFrom(
        shared,
        { namespace: color, color: "blue", urlAsEnv },
        { dependsOn: patch(color) },
    );
    api(namespace, image, nodePort, accessTo(shared), { dependsOn });
    // Without the file, the API has nothing but the variable.
    const withoutFile = { ...access, env: { ...access.env, DATABASE_URL_FILE: "" } };
    api(color, image, nodePort + 1, urlAsEnv === true ? withoutFile : access, { dependsOn });

    return { databaseState: shared.state, keptOnDestroy: shared.keptOnDestroy };
};
