import { API_IMAGES, POSTGRES_IMAGE, type ApiImage } from "../../../sandbox/images";
import type { Manifest } from "../../support/kube";

export const NAMESPACE = "cutover-api-test";
const PASSWORD_SECRET = "passwords";

/** What Pod Security `restricted` asks of every container, and a root file system that is read-only. */
const CONTAINER_SECURITY = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
};
const POD_SECURITY = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };

export function namespace(): Manifest {
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    return { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } };
}

export function passwords(admin: string, api: string): Manifest {
    return {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: PASSWORD_SECRET, namespace: NAMESPACE },
        stringData: { admin, api },
    };
}

/** A database whose API role can create tables and nothing more, as the Postgres component makes it. */
export function database(): Manifest[] {
    const labels = { app: "postgres" };
    const writable = ["data", "run", "tmp"];
    const role = `CREATE ROLE endpoint_stats_api LOGIN;
        GRANT USAGE, CREATE ON SCHEMA public TO endpoint_stats_api;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        \\set password \`cat /passwords/api\`
        ALTER ROLE endpoint_stats_api PASSWORD :'password';`;
    return [
        {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "init", namespace: NAMESPACE },
            data: { "role.sql": role },
        },
        {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: "postgres", namespace: NAMESPACE, labels },
            spec: {
                automountServiceAccountToken: false,
                securityContext: { ...POD_SECURITY, runAsUser: 999, fsGroup: 999 },
                containers: [
                    {
                        name: "postgres",
                        image: POSTGRES_IMAGE,
                        env: [
                            { name: "POSTGRES_DB", value: "endpoint_stats" },
                            { name: "POSTGRES_PASSWORD_FILE", value: "/passwords/admin" },
                            { name: "PGDATA", value: "/data/pgdata" },
                        ],
                        securityContext: CONTAINER_SECURITY,
                        readinessProbe: {
                            exec: { command: ["pg_isready", "-h", "127.0.0.1"] },
                            periodSeconds: 1,
                        },
                        volumeMounts: [
                            { name: "data", mountPath: "/data" },
                            { name: "run", mountPath: "/var/run/postgresql" },
                            { name: "tmp", mountPath: "/tmp" },
                            { name: "init", mountPath: "/docker-entrypoint-initdb.d" },
                            { name: "passwords", mountPath: "/passwords" },
                        ],
                    },
                ],
                volumes: [
                    ...writable.map((name) => ({ name, emptyDir: {} })),
                    { name: "init", configMap: { name: "init" } },
                    { name: "passwords", secret: { secretName: PASSWORD_SECRET } },
                ],
            },
        },
        {
            apiVersion: "v1",
            kind: "Service",
            metadata: { name: "db", namespace: NAMESPACE },
            spec: { selector: labels, ports: [{ port: 5432 }] },
        },
    ];
}

/** The name of a release's pod and of the Service that leads to it and to nothing else. */
export function podName(release: ApiImage): string {
    return `api-${release.replaceAll(".", "-")}`;
}

/** One pod of a release, ready when `/ready` says so, and a way to it from this machine. */
export function apiPod(release: ApiImage): Manifest[] {
    const name = podName(release);
    const metadata = { name, namespace: NAMESPACE };
    return [
        {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { ...metadata, labels: { app: name } },
            spec: {
                automountServiceAccountToken: false,
                securityContext: POD_SECURITY,
                containers: [
                    {
                        name: "api",
                        image: API_IMAGES[release],
                        env: [
                            { name: "COLOR", value: "blue" },
                            { name: "DB_PASSWORD_FILE", value: "/passwords/api" },
                            {
                                name: "POD_NAME",
                                valueFrom: { fieldRef: { fieldPath: "metadata.name" } },
                            },
                        ],
                        ports: [{ name: "http", containerPort: 9999 }],
                        resources: {
                            requests: { cpu: "100m", memory: "128Mi" },
                            limits: { cpu: "200m", memory: "256Mi" },
                        },
                        securityContext: CONTAINER_SECURITY,
                        readinessProbe: {
                            httpGet: { path: "/ready", port: "http" },
                            periodSeconds: 1,
                            timeoutSeconds: 2,
                        },
                        livenessProbe: {
                            httpGet: { path: "/health", port: "http" },
                            periodSeconds: 5,
                        },
                        volumeMounts: [{ name: "passwords", mountPath: "/passwords" }],
                    },
                ],
                volumes: [
                    {
                        name: "passwords",
                        secret: {
                            secretName: PASSWORD_SECRET,
                            items: [{ key: "api", path: "api" }],
                        },
                    },
                ],
            },
        },
        {
            apiVersion: "v1",
            kind: "Service",
            metadata,
            spec: {
                type: "NodePort",
                publishNotReadyAddresses: true,
                selector: { app: name },
                ports: [{ port: 9999, targetPort: "http" }],
            },
        },
    ];
}
