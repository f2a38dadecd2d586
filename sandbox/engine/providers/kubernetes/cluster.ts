import type { ProviderContext } from "../types";
import { ApiError, ConnectionError } from "./api-error";
import { KubeClient, sleep } from "./client";
import { explainConflict, explainCreate } from "./explain";
import { isCrd, NoMatchError } from "./kinds";
import type { ClusterAccess } from "./kubeconfig";
import {
    adoptionPatch,
    CREATE_MANAGER,
    hasCreateManager,
    hasManagers,
    keepIgnored,
} from "./managed-fields";
import {
    Annotation,
    annotation,
    isAnnotated,
    type KubeObject,
    nameOf,
    removeIn,
    text,
} from "./objects";
import { RestMapper } from "./rest-mapper";

const APPLY = "application/apply-patch+yaml";
const JSON_PATCH = "application/json-patch+json";
/** Waits before trying a create again whose namespace or kind is not there yet, in seconds. */
const CREATE_RETRY_SECONDS = [1, 2, 4, 8, 16];
const ADOPTION_ATTEMPTS = 5;
export interface ApplyOptions {
    fieldManager: string;
    /** Take fields over from other managers. */
    enablePatchForce: boolean;
    preview: boolean;
}

/** One cluster and what can be done to an object in it. */
export class Cluster {
    readonly mapper: RestMapper;

    constructor(readonly client: KubeClient) {
        this.mapper = new RestMapper(client);
    }

    /** @throws with the reason if the API server cannot be used at all */
    static async connect(access: ClusterAccess, signal: AbortSignal): Promise<Cluster> {
        const client = new KubeClient(access);
        try {
            await client.request("GET", "/version", { signal, timeoutMs: 15_000 });
        } catch (error) {
            const unusable =
                error instanceof ConnectionError ||
                (error instanceof ApiError && error.code === 401);
            if (unusable) throw new Error(`unable to reach the API server: ${error.message}`);
            if (!(error instanceof ApiError)) throw error;
        }
        return new Cluster(client);
    }

    async get(object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
        const { item } = await this.mapper.paths(object, signal);
        return this.client.request("GET", item, { signal });
    }

    async exists(object: KubeObject, signal: AbortSignal): Promise<boolean> {
        try {
            await this.get(object, signal);
            return true;
        } catch (error) {
            if (ApiError.is(error, "NotFound")) return false;
            throw error;
        }
    }

    /**
     * Creates `object`; one that is there already is an error. A missing namespace or kind may be
     * on its way in the same run, so `up` tries again for half a minute.
     */
    async create(
        context: ProviderContext,
        object: KubeObject,
        preview: boolean,
    ): Promise<KubeObject> {
        for (let attempt = 0; ; attempt++) {
            try {
                const { collection, namespaced } = await this.mapper.paths(object, context.signal);
                // A kind that was not there at the check may turn out to be cluster-wide.
                if (!namespaced) removeIn(object, ["metadata", "namespace"]);
                return await this.client.request("POST", collection, {
                    query: {
                        fieldManager: CREATE_MANAGER,
                        fieldValidation: "Strict",
                        dryRun: preview ? "All" : undefined,
                    },
                    body: object,
                    signal: context.signal,
                });
            } catch (error) {
                const seconds = CREATE_RETRY_SECONDS[attempt];
                const missing = ApiError.is(error, "NotFound") || error instanceof NoMatchError;
                if (!missing || preview || seconds === undefined) throw explainCreate(error);
                context.log(
                    "info",
                    `Retry #${attempt + 1}; creation failed: ${error.message}`,
                    true,
                );
                await sleep(seconds * 1000, context.signal);
            }
        }
    }

    /** Takes charge of the fields of `wanted`; the object is made if it is not there. */
    async patch(
        context: ProviderContext,
        wanted: KubeObject,
        { fieldManager, enablePatchForce }: Omit<ApplyOptions, "preview">,
    ): Promise<KubeObject> {
        const { item } = await this.mapper.paths(wanted, context.signal);
        const force = enablePatchForce || isAnnotated(wanted, Annotation.patchForce);
        try {
            return await this.client.request("PATCH", item, {
                query: { fieldManager, force: String(force), fieldValidation: "Strict" },
                body: wanted,
                contentType: APPLY,
                signal: context.signal,
            });
        } catch (error) {
            throw explainConflict(error, fieldManager);
        }
    }

    /** Brings `live` to `wanted` by server-side apply. */
    async apply(
        context: ProviderContext,
        wanted: KubeObject,
        live: KubeObject,
        ignoreChanges: string[],
        options: ApplyOptions,
    ): Promise<KubeObject> {
        const { item } = await this.mapper.paths(live, context.signal);
        const dryRun = options.preview ? "All" : undefined;
        if (isCrd(wanted)) {
            const version = text(live, "metadata", "resourceVersion");
            const metadata = { ...(wanted.metadata as KubeObject), resourceVersion: version };
            return this.client.request("PUT", item, {
                query: { fieldManager: options.fieldManager, fieldValidation: "Strict", dryRun },
                body: { ...wanted, metadata },
                signal: context.signal,
            });
        }
        const owned = options.preview
            ? live
            : await this.adopt(context, item, live, options.fieldManager);
        const body = structuredClone(wanted);
        keepIgnored(body, owned, options.fieldManager, ignoreChanges);
        try {
            return await this.client.request("PATCH", item, {
                query: {
                    fieldManager: options.fieldManager,
                    force: String(mustForce(wanted, owned, options)),
                    fieldValidation: "Strict",
                    dryRun,
                },
                body,
                contentType: APPLY,
                signal: context.signal,
            });
        } catch (error) {
            throw explainConflict(error, options.fieldManager);
        }
    }

    /** Takes the fields of the create over; a controller may write in between, so it tries again. */
    private async adopt(
        context: ProviderContext,
        item: string,
        live: KubeObject,
        fieldManager: string,
    ): Promise<KubeObject> {
        let current = live;
        for (let attempt = 1; ; attempt++) {
            const patch = adoptionPatch(current, fieldManager);
            if (patch === undefined) return current;
            try {
                return await this.client.request("PATCH", item, {
                    body: patch,
                    contentType: JSON_PATCH,
                    signal: context.signal,
                });
            } catch (error) {
                const raced = error instanceof ApiError && error.code === 409;
                if (!raced || attempt === ADOPTION_ATTEMPTS) throw error;
                current = await this.client.request("GET", item, { signal: context.signal });
            }
        }
    }

    /** Gives up the fields of a manager whose name the program changed. */
    async relinquish(
        context: ProviderContext,
        object: KubeObject,
        fieldManager: string,
    ): Promise<void> {
        const { item } = await this.mapper.paths(object, context.signal);
        const { apiVersion = "", kind = "" } = object;
        const namespace = text(object, "metadata", "namespace");
        const metadata = { name: nameOf(object), ...(namespace === "" ? {} : { namespace }) };
        await this.client.request("PATCH", item, {
            query: { fieldManager },
            body: { apiVersion, kind, metadata },
            contentType: APPLY,
            signal: context.signal,
        });
    }

    /** @returns false if it was gone already */
    async delete(
        context: ProviderContext,
        object: KubeObject,
        propagationPolicy: string,
    ): Promise<boolean> {
        try {
            const { item } = await this.mapper.paths(object, context.signal);
            await this.client.request("DELETE", item, {
                body: { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy },
                signal: context.signal,
            });
            return true;
        } catch (error) {
            if (ApiError.is(error, "NotFound") || error instanceof NoMatchError) return false;
            throw error;
        }
    }
}

/** The propagation policy the annotation asks for; Foreground: dependents go first. */
export function deletionPropagation(inputs: KubeObject): string {
    switch (annotation(inputs, Annotation.deletionPropagation).toLowerCase()) {
        case "orphan":
            return "Orphan";
        case "background":
            return "Background";
        default:
            return "Foreground";
    }
}

function mustForce(wanted: KubeObject, live: KubeObject, options: ApplyOptions): boolean {
    return (
        options.enablePatchForce ||
        isAnnotated(wanted, Annotation.patchForce) ||
        // A preview may not take fields over first, as the real update does.
        (options.preview && hasCreateManager(live)) ||
        !hasManagers(live)
    );
}
