import * as pulumi from "@pulumi/pulumi";
import { NamespacePatch } from "@pulumi/kubernetes/core/v1/namespacePatch";
import {
    accessFrom,
    accessTo,
    BlueGreen,
    Canary,
    type Color,
    type Database,
    type DatabaseAccess,
    Isolation,
    namespaceLabels,
    parseDatabaseState,
    parseState,
    Postgres,
    Routing,
    ServiceType,
    type State,
} from "cutover";
import { readSettings, type Settings } from "./settings";

const NAME = "user-service";

/** The user service as a blue/green pair in two namespaces, or as a stepped canary in one. */
export = async (): Promise<Record<string, unknown>> => {
    const settings = readSettings(NAME);
    const { namespace, registry } = settings;
    const last = await lastOutputs();
    const shared = namespaceNamed(namespace);
    const database = new Postgres(
        "postgres",
        {
            namespace,
            image: `${registry}/postgres:14`,
            database: "users",
            apiUser: "user_service",
            resources: settings.resources,
            previous: parseDatabaseState(last.databaseState),
        },
        { dependsOn: shared },
    );
    const declare = settings.strategy === "blueGreen" ? blueGreen : canary;
    return {
        ...declare(settings, { database, shared, previous: parseState(last.state) }),
        databaseState: database.state,
        keptOnDestroy: database.keptOnDestroy,
    };
};

interface Around {
    database: Database;
    /** The namespace of the database and the router. */
    shared: pulumi.Resource;
    /** What the last `up` left. */
    previous: State | undefined;
}

/** Each color in a namespace of its own, with its ServiceAccount, its Service and its Secret. */
function blueGreen(settings: Settings, { database, shared, previous }: Around) {
    const [blue, green] = (["blue", "green"] as const).map((color) => {
        const namespace = `${settings.namespace}-${color}`;
        const dependsOn = namespaceNamed(namespace);
        // Secret db-secret-<color>, key url; a file, which no dump of the environment shows.
        return accessFrom(database, { namespace, color }, { dependsOn });
    }) as [DatabaseAccess, DatabaseAccess];
    const pair = new BlueGreen(
        NAME,
        {
            ...common(settings, blue),
            isolation: Isolation.namespaces,
            blue: settings.blue,
            green: settings.green,
            activeColor: settings.activeColor as Color | undefined,
            replicas: 3,
            sideEnv: { blue: { ENVIRONMENT: "blue" }, green: { ENVIRONMENT: "green" } },
            sideSecretFiles: { blue: blue.secretFiles, green: green.secretFiles },
            previous,
        },
        { dependsOn: [shared, ...blue.resources, ...green.resources] },
    );
    const { url, previewUrl, activeColor, state } = pair;
    return { url, previewUrl, activeColor, weights: state.weights, state };
}

/** Stable and canary side by side, each with a Service of its own, and the share of the present step. */
function canary(settings: Settings, { database, shared, previous }: Around) {
    const access = accessTo(database);
    const pair = new Canary(
        NAME,
        {
            ...common(settings, access),
            stable: settings.stable ?? "",
            canary: settings.canary,
            canaryWeight: settings.canaryWeight,
            replicas: 5,
            sideEnv: { stable: { ENVIRONMENT: "stable" }, canary: { ENVIRONMENT: "canary" } },
            secretFiles: access.secretFiles,
            previous,
        },
        { dependsOn: [shared, ...access.resources] },
    );
    const { url, previewUrl, state } = pair;
    return { url, previewUrl, weights: state.weights, steps: settings.steps, state };
}

/** What both have: port, probes, the releases, and nginx in front of them. */
function common(settings: Settings, { env, annotations }: DatabaseAccess) {
    const { namespace, releases, registry, resources } = settings;
    return {
        namespace,
        releases,
        servicePort: 80,
        serviceType: ServiceType.nodePort,
        nodePort: settings.nodePort,
        routing: Routing.nginx,
        router: {
            name: "nginx-load-balancer",
            replicas: 2,
            image: `${registry}/nginx:1.22`,
            resources,
        },
        api: {
            port: 8000,
            probes: {
                liveness: { path: "/health", initialDelaySeconds: 30, periodSeconds: 10 },
                readiness: { path: "/ready", initialDelaySeconds: 5, periodSeconds: 5 },
            },
            resources,
            env,
            annotations,
        },
        cluster: { context: settings.context },
    };
}

/** Patched, not owned: `destroy` must not take the database's volume along with its namespace. */
function namespaceNamed(name: string): NamespacePatch {
    return new NamespacePatch(name, { metadata: { name, labels: namespaceLabels } });
}

/** The outputs of this stack's last `up`; none before the first. */
async function lastOutputs(): Promise<{ state?: unknown; databaseState?: unknown }> {
    const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
    const self = new pulumi.StackReference("previous", { name });
    const [state, databaseState] = await Promise.all([
        self.getOutputDetails("state"),
        self.getOutputDetails("databaseState"),
    ]);
    return { state: state.value, databaseState: databaseState.value };
}
