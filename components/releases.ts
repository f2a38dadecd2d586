import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import type { ReleaseArgs } from "./args";
import { appLabels } from "./labels";

export interface ReleasesArgs {
    /** Name of the API: part of the objects' names. */
    app: string;
    namespace: string;
    /** Every declared release, running or not. */
    releases: Record<string, ReleaseArgs>;
    labels?: Record<string, pulumi.Input<string>>;
}

/**
 * What the sides of an API share, whatever its strategy: the ServiceAccount of its pods, and the
 * files and secrets of every declared release. Those are immutable and have a hash of their content
 * in their name, so that a rollback finds what it goes back to exactly as it was. The account may do
 * nothing in the cluster and its token is not mounted.
 */
export class Releases extends pulumi.ComponentResource {
    readonly serviceAccount: ServiceAccount;
    private readonly configMaps = new Map<string, ConfigMap>();
    private readonly secrets = new Map<string, Secret>();

    constructor(name: string, args: ReleasesArgs, opts?: pulumi.ComponentResourceOptions) {
        const { app, namespace, releases } = args;
        super("cutover:index:Releases", name, { app, namespace }, opts);
        const labels = appLabels(app, namespace, args.labels);
        const child = { parent: this };

        this.serviceAccount = new ServiceAccount(
            name,
            { metadata: { name: app, namespace, labels }, automountServiceAccountToken: false },
            child,
        );
        for (const [release, { files, secrets }] of Object.entries(releases)) {
            const metadata = (kind: string, content: Record<string, string>) => ({
                name: `${app}-${release}-${kind}-${hashOf(content)}`,
                namespace,
                labels: { ...labels, "app.kubernetes.io/version": release },
            });
            if (files !== undefined) {
                const args = { metadata: metadata("files", files), immutable: true, data: files };
                this.configMaps.set(
                    release,
                    new ConfigMap(`${name}-${release}-files`, args, child),
                );
            }
            if (secrets !== undefined) {
                const args = {
                    metadata: metadata("secrets", secrets),
                    immutable: true,
                    stringData: pulumi.secret(secrets),
                };
                this.secrets.set(release, new Secret(`${name}-${release}-secrets`, args, child));
            }
        }
        this.registerOutputs({ serviceAccount: this.serviceAccount.metadata.name });
    }

    /** Name of the ConfigMap with the release's files, if it has any. */
    filesOf(release: string): pulumi.Output<string> | undefined {
        return this.configMaps.get(release)?.metadata.name;
    }

    /** Name of the Secret with the release's secrets, if it has any. */
    secretsOf(release: string): pulumi.Output<string> | undefined {
        return this.secrets.get(release)?.metadata.name;
    }
}

/** Ten hexadecimal digits of the content, whatever the order of its keys. */
function hashOf(content: Record<string, string>): string {
    const sorted = Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1));
    return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 10);
}
