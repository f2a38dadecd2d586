import { StatefulSet } from "@pulumi/kubernetes/apps/v1/statefulSet";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import type * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { encoded } from "./credentials";
import * as defaults from "./defaults";
import { databaseLabels, withoutAwait } from "./labels";
import type { DatabaseNames } from "./names";
import type { podTemplate } from "./pod";
import { contentHash, startFiles } from "./start-files";

type Labels = Record<string, pulumi.Input<string>>;

const selector = defaults.POSTGRES_SELECTOR;

/** What all children of the component share. */
export interface Shared {
    namespace: pulumi.Input<string>;
    labels?: Labels;
}

export interface Passwords {
    admin: RandomPassword;
    api: RandomPassword;
}

/** The children of the `Postgres` component, each made by the method of its kind. */
export class Objects {
    readonly labels: Labels;

    constructor(
        private readonly parent: pulumi.ComponentResource,
        private readonly name: string,
        private readonly shared: Shared,
    ) {
        this.labels = { ...databaseLabels(shared.namespace, shared.labels), ...selector };
    }

    private metadata(name: string) {
        return { name, namespace: this.shared.namespace, labels: this.labels };
    }

    passwords(version: pulumi.Input<string>): Passwords {
        const password = (role: string) =>
            new RandomPassword(
                `${this.name}-${role}-password`,
                { length: defaults.PASSWORD_LENGTH, special: false, keepers: { version } },
                { parent: this.parent },
            );
        return { admin: password("admin"), api: password("api") };
    }

    secret({ admin, api }: Passwords): Secret {
        const data = {
            [defaults.ADMIN_PASSWORD_KEY]: encoded(admin.result),
            [defaults.API_PASSWORD_KEY]: encoded(api.result),
        };
        return new Secret(
            `${this.name}-secret`,
            { metadata: this.metadata(defaults.SECRET_NAME), type: "Opaque", data },
            { parent: this.parent },
        );
    }

    /** Named by its content: a change makes another ConfigMap, and the pod restarts with that one. */
    startFiles(names: DatabaseNames): ConfigMap {
        const data = startFiles(names);
        const name = `${defaults.POSTGRES_NAME}-start-${contentHash(data)}`;
        return new ConfigMap(
            `${this.name}-start`,
            { metadata: this.metadata(name), data },
            { parent: this.parent },
        );
    }

    serviceAccount(): ServiceAccount {
        return new ServiceAccount(
            `${this.name}-service-account`,
            {
                metadata: this.metadata(defaults.POSTGRES_NAME),
                automountServiceAccountToken: false,
            },
            { parent: this.parent },
        );
    }

    /** Not awaited: the StatefulSet is, and a Service's own await takes 10 s and says less. */
    headlessService(): Service {
        const port = {
            name: defaults.POSTGRES_NAME,
            port: defaults.PORT,
            targetPort: defaults.PORT,
        };
        return new Service(
            `${this.name}-${defaults.POSTGRES_NAME}`,
            {
                metadata: { ...this.metadata(defaults.POSTGRES_NAME), annotations: withoutAwait },
                spec: { clusterIP: "None", selector, ports: [port] },
            },
            { parent: this.parent },
        );
    }

    /**
     * The claim template is frozen: Kubernetes forbids changing it, and a replacement would end the
     * server for a volume that its claim does not grow.
     */
    statefulSet(
        secret: Secret,
        pod: { serviceName: pulumi.Input<string>; template: ReturnType<typeof podTemplate> },
        volume: { storage: string; storageClassName?: string },
    ): StatefulSet {
        const claim = {
            metadata: { name: defaults.CLAIM_NAME, labels: selector },
            spec: {
                accessModes: ["ReadWriteOnce"],
                storageClassName: volume.storageClassName,
                resources: { requests: { storage: volume.storage } },
            },
        };
        return new StatefulSet(
            `${this.name}-server`,
            {
                metadata: this.metadata(defaults.POSTGRES_NAME),
                spec: {
                    ...pod,
                    replicas: 1,
                    selector: { matchLabels: selector },
                    // With the default, a pod that cannot start is never replaced by a corrected one:
                    // the controller waits for it first. One replica has no order to keep.
                    podManagementPolicy: "Parallel",
                    persistentVolumeClaimRetentionPolicy: {
                        whenDeleted: "Retain",
                        whenScaled: "Retain",
                    },
                    volumeClaimTemplates: [claim],
                },
            },
            {
                parent: this.parent,
                dependsOn: secret,
                ignoreChanges: ["spec.volumeClaimTemplates"],
                customTimeouts: { create: defaults.UP_DEADLINE, update: defaults.UP_DEADLINE },
            },
        );
    }
}
