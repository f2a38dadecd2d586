import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import type { ResourcesArgs } from "../args";
import { pullSecrets } from "../pod";
import * as defaults from "./defaults";
import type { DatabaseNames } from "./names";

type Volume = types.input.core.v1.Volume;
type VolumeMount = types.input.core.v1.VolumeMount;

/** What the pod is made of. */
export interface PostgresPod {
    names: DatabaseNames;
    image: Input<string>;
    imagePullSecrets: Input<string>[];
    resources: ResourcesArgs;
    labels: Record<string, Input<string>>;
    serviceAccount: Input<string>;
    /** The ConfigMap with the start files. */
    startFiles: Input<string>;
    /** The Secret with the passwords, and what changes with them. */
    secret: Input<string>;
    credentialsHash: Input<string>;
}

/** The template of the one pod; its data volume comes from the StatefulSet's claim template. */
export function podTemplate(pod: PostgresPod): types.input.core.v1.PodTemplateSpec {
    return {
        metadata: {
            labels: pod.labels,
            // New passwords are taken at a start, so they must bring one about.
            annotations: { [defaults.CREDENTIALS_HASH]: pod.credentialsHash },
        },
        spec: {
            serviceAccountName: pod.serviceAccount,
            automountServiceAccountToken: false,
            // Off: a Service called "postgres" would add variables that begin with POSTGRES_.
            enableServiceLinks: false,
            imagePullSecrets: pullSecrets(pod.imagePullSecrets),
            terminationGracePeriodSeconds: defaults.TERMINATION_GRACE_PERIOD_SECONDS,
            securityContext: {
                runAsNonRoot: true,
                runAsUser: defaults.RUN_AS_USER,
                runAsGroup: defaults.RUN_AS_USER,
                fsGroup: defaults.RUN_AS_USER,
                // Else every start would open the data folder to the group, file by file.
                fsGroupChangePolicy: "OnRootMismatch",
                seccompProfile: { type: "RuntimeDefault" },
            },
            containers: [container(pod)],
            volumes: volumes(pod),
        },
    };
}

function container(pod: PostgresPod): types.input.core.v1.Container {
    const { requests, limits } = { ...defaults.RESOURCES, ...pod.resources };
    return {
        name: defaults.POSTGRES_NAME,
        image: pod.image,
        command: ["bash", `${defaults.START_FILES_PATH}/start.sh`],
        env: env(pod.names),
        ports: [{ name: defaults.POSTGRES_NAME, containerPort: defaults.PORT }],
        ...probes(pod.names),
        // The fast shutdown, whichever stop signal the image declares: SIGTERM would wait for clients.
        lifecycle: { preStop: { exec: { command: ["bash", "-c", "kill -INT 1"] } } },
        resources: { requests, limits },
        securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
        },
        volumeMounts: volumeMounts(),
    };
}

/** Names and paths only: what is in the environment shows up in crash reports and child processes. */
function env({ database, user, apiUser }: DatabaseNames): types.input.core.v1.EnvVar[] {
    const file = (key: string) => `${defaults.CREDENTIALS_PATH}/${key}`;
    return [
        { name: "POSTGRES_DB", value: database },
        { name: "POSTGRES_USER", value: user },
        { name: "POSTGRES_PASSWORD_FILE", value: file(defaults.ADMIN_PASSWORD_KEY) },
        { name: "POSTGRES_INITDB_ARGS", value: defaults.INITDB_ARGUMENTS },
        { name: "PGDATA", value: defaults.PGDATA },
        { name: "API_USER", value: apiUser },
        { name: "API_PASSWORD_FILE", value: file(defaults.API_PASSWORD_KEY) },
    ];
}

/**
 * Startup and readiness ask over TCP, which is closed until the roles are reconciled. Liveness asks
 * on the socket and takes "rejecting connections" for an answer, or it would end a crash recovery.
 */
function probes({ database, user }: DatabaseNames) {
    const overTcp = [
        "pg_isready",
        "--quiet",
        "--host",
        "127.0.0.1",
        "--port",
        String(defaults.PORT),
    ];
    const accepts = { exec: { command: [...overTcp, "--username", user, "--dbname", database] } };
    const answers = `pg_isready --quiet --host ${defaults.SOCKET_PATH} || [ $? -eq 1 ]`;
    return {
        startupProbe: { ...accepts, ...defaults.STARTUP_PROBE },
        readinessProbe: { ...accepts, ...defaults.READINESS_PROBE },
        livenessProbe: { exec: { command: ["bash", "-c", answers] }, ...defaults.LIVENESS_PROBE },
    };
}

function volumes(pod: PostgresPod): Volume[] {
    const keys = [defaults.ADMIN_PASSWORD_KEY, defaults.API_PASSWORD_KEY];
    return [
        { name: "start-files", configMap: { name: pod.startFiles, defaultMode: 0o444 } },
        {
            name: "credentials",
            secret: {
                secretName: pod.secret,
                items: keys.map((key) => ({ key, path: key })),
                // With the pod's group: readable to the server and to nobody else.
                defaultMode: 0o440,
            },
        },
        { name: "sockets", emptyDir: { sizeLimit: defaults.SOCKET_SIZE_LIMIT } },
        { name: "tmp", emptyDir: { sizeLimit: defaults.TMP_SIZE_LIMIT } },
    ];
}

function volumeMounts(): VolumeMount[] {
    return [
        { name: defaults.CLAIM_NAME, mountPath: defaults.DATA_PATH },
        { name: "start-files", mountPath: defaults.START_FILES_PATH, readOnly: true },
        { name: "start-files", mountPath: "/etc/passwd", subPath: "passwd", readOnly: true },
        { name: "credentials", mountPath: defaults.CREDENTIALS_PATH, readOnly: true },
        { name: "sockets", mountPath: defaults.SOCKET_PATH },
        { name: "tmp", mountPath: defaults.TMP_PATH },
    ];
}
