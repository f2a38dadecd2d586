import {
    type CheckFailure,
    type CheckRequest,
    type CreateRequest,
    type DeleteRequest,
    type Diff,
    type DiffRequest,
    type Inputs,
    type ProviderContext,
    type ReadRequest,
    type ReadResult,
    type ResourceProvider,
    type UpdateRequest,
} from "../types";
import { parseCheckpoint } from "./checkpoint";
import { Connection } from "./connection";
import { diffObjects, isNamespacedOffline } from "./diff";
import { builtInMapping, isPatch, kindKey, kindOfType } from "./kinds";
import { lazy } from "./lazy";
import { assignName } from "./naming";
import { fromWire, normalizeInputs, toWire } from "./normalize";
import {
    Annotation,
    annotation,
    hasUnknown,
    isAnnotated,
    isMap,
    type KubeObject,
    nameOf,
    setIn,
    text,
    urnName,
} from "./objects";
import type { Settings } from "./settings";

/** Kinds that the real provider waits for and the stand-in cannot. */
const UNSUPPORTED_AWAIT = ["networking.k8s.io/v1/Ingress", "v1/ReplicationController"];

/** The kubernetes provider: behaves as pulumi-kubernetes 4.34 in its server-side apply mode. */
export class KubernetesProvider implements ResourceProvider {
    private readonly connection: Connection;

    constructor(private readonly settings: Settings) {
        this.connection = new Connection(settings);
    }

    async check(
        context: ProviderContext,
        request: CheckRequest,
    ): Promise<{ inputs: Inputs; failures: CheckFailure[] }> {
        refuseType(context.type);
        const given = toWire({ ...kindOfType(context.type), ...request.newInputs });
        given.metadata ??= {};
        const object = normalizeInputs(given);
        if (isPatch(context.type) && nameOf(object) === "") {
            throw new Error("patch resources require the `.metadata.name` field to be set");
        }
        if (isMap(object.metadata)) {
            assignName(object, urnName(context.urn), request.randomSeed, request.oldInputs);
            await this.assignNamespace(context, object);
        }
        return { inputs: fromWire(object), failures: checkFailures(object) };
    }

    private async assignNamespace(context: ProviderContext, object: KubeObject): Promise<void> {
        const { namespace } = object.metadata as Inputs;
        if (namespace !== undefined && namespace !== null && namespace !== "") return;
        const apiVersion = text(object, "apiVersion");
        const kind = text(object, "kind");
        const { namespaced } =
            builtInMapping(apiVersion, kind) ??
            (await this.connection.mapping(context, apiVersion, kind));
        if (!namespaced) return;
        setIn(object, ["metadata", "namespace"], await this.connection.defaultNamespace());
    }

    async diff(context: ProviderContext, request: DiffRequest): Promise<Diff> {
        const { apiVersion, kind } = kindOfType(context.type);
        const diff = diffObjects(request.oldOutputs, request.oldInputs, request.newInputs, {
            mutable: this.settings.mutable,
            ignoreChanges: request.ignoreChanges,
            namespaced: isNamespacedOffline(apiVersion, kind),
        });
        if (kind === "Job" && isAnnotated(request.newInputs, Annotation.replaceUnready)) {
            await this.replaceIfUnready(context, request, diff);
        }
        return diff;
    }

    /** The annotation `pulumi.com/replaceUnready`: a Job that has not succeeded is made anew. */
    private async replaceIfUnready(
        context: ProviderContext,
        request: DiffRequest,
        diff: Diff,
    ): Promise<void> {
        const { live } = parseCheckpoint(request.oldOutputs, request.oldInputs);
        const cluster = await this.connection.openForPreview(context);
        const job = await cluster?.get(live, context.signal).catch(() => undefined);
        if (job === undefined) return;
        const { JobReadiness } = lazy.job();
        if (new JobReadiness(job).isComplete()) return;
        diff.changes = true;
        diff.replaceKeys.push(`.metadata.annotations["${Annotation.replaceUnready}"]`);
        diff.deleteBeforeReplace ||=
            nameOf(request.newInputs) === nameOf(live) &&
            !isAnnotated(request.newInputs, Annotation.autonamed);
    }

    async create(
        context: ProviderContext,
        request: CreateRequest,
    ): Promise<{ id: string; outputs: Inputs }> {
        const cluster = await this.clusterFor(context, request);
        const { createObject } = lazy.operations();
        const force = this.settings.enablePatchForce;
        const created =
            cluster === undefined
                ? undefined
                : await createObject(cluster, context, request, force);
        return created ?? { id: "", outputs: request.inputs };
    }

    async update(context: ProviderContext, request: UpdateRequest): Promise<{ outputs: Inputs }> {
        const cluster = await this.clusterFor(context, request);
        const { updateObject } = lazy.operations();
        const force = this.settings.enablePatchForce;
        const updated =
            cluster === undefined
                ? undefined
                : await updateObject(cluster, context, request, force);
        return updated ?? { outputs: request.inputs };
    }

    /** Undefined if only the inputs can be shown: in a preview with unknowns or without a cluster. */
    private async clusterFor(
        context: ProviderContext,
        { preview, inputs }: { preview: boolean; inputs: Inputs },
    ): ReturnType<Connection["openForPreview"]> {
        if (!preview) return this.connection.open(context);
        return hasUnknown(inputs) ? undefined : this.connection.openForPreview(context);
    }

    async delete(context: ProviderContext, request: DeleteRequest): Promise<void> {
        const cluster = await this.connection.openOrForget(context);
        if (cluster === undefined) return;
        const { deleteObject } = lazy.operations();
        await deleteObject(cluster, context, request);
    }

    async read(context: ProviderContext, request: ReadRequest): Promise<ReadResult | undefined> {
        const cluster = await this.connection.openOrForget(context);
        if (cluster === undefined) return undefined;
        const { readObject } = lazy.operations();
        return readObject(cluster, context, request);
    }

    async invoke(_context: ProviderContext, token: string): Promise<Inputs> {
        throw new Error(`${token} is not supported by the stand-in engine; install the Pulumi CLI`);
    }

    secretOutputs(type: string): string[] {
        return type === "kubernetes:core/v1:Secret" ? ["data", "stringData"] : [];
    }

    /** `check` moves `stringData` to `data`, where the program marked nothing. */
    secretInputs(type: string): string[] {
        return this.secretOutputs(type);
    }
}

/** Types that are no objects of the API server, or that are more than one. */
function refuseType(type: string): void {
    if (isPatch(type) || !/(Patch|List)$|^kubernetes:(helm|yaml|kustomize)/.test(type)) return;
    throw new Error(`${type} is not supported by the stand-in engine; install the Pulumi CLI`);
}

function checkFailures(object: KubeObject): CheckFailure[] {
    const failures: CheckFailure[] = [];
    if (text(object, "metadata", "generateName") !== "" && nameOf(object) === "") {
        failures.push({
            property: "metadata.generateName",
            reason: "the `.metadata.generateName` field is not supported in Server-Side Apply mode",
        });
    }
    const waitFor = annotation(object, Annotation.waitFor);
    if (waitFor !== "" && !hasUnknown(waitFor)) {
        const { parseWaitFor } = lazy.waitFor();
        try {
            parseWaitFor(waitFor);
        } catch (error) {
            const property = `metadata.annotations["${Annotation.waitFor}"]`;
            failures.push({ property, reason: (error as Error).message });
        }
    } else if (
        UNSUPPORTED_AWAIT.includes(kindKey(object)) &&
        !isAnnotated(object, Annotation.skipAwait)
    ) {
        // A wait left out silently would be a lie.
        failures.push({
            property: "kind",
            reason:
                `waiting for ${kindKey(object)} is not supported by the stand-in engine: set the annotation ` +
                `${Annotation.skipAwait}: "true", or install the Pulumi CLI`,
        });
    }
    return failures;
}
