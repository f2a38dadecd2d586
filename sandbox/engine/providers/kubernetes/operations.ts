import {
    type CreateRequest,
    type DeleteRequest,
    InitError,
    type Inputs,
    type ProviderContext,
    type ReadRequest,
    type ReadResult,
    type UpdateRequest,
} from "../types";
import { awaitDeleted } from "./await/deletion";
import { awaitReady, checkReady, type Outcome } from "./await/index";
import { readinessOf, refreshReadinessOf } from "./await/rules";
import {
    checkpoint,
    fieldManagerOf,
    identified,
    importedInputs,
    parseCheckpoint,
} from "./checkpoint";
import { ApiError } from "./api-error";
import { type Cluster, deletionPropagation } from "./cluster";
import { isPatch, kindKey, kindOfType, NoMatchError } from "./kinds";
import { fromWire, normalizeInputs, prune, toWire } from "./normalize";
import { Annotation, annotation, isAnnotated, type KubeObject, objectId, text } from "./objects";

const DELETE_TIMEOUT_SECONDS = 600;

/** Kinds whose deletion is not awaited under `pulumi.com/skipAwait`, as with the real provider. */
const SKIP_DELETE_AWAIT = [
    "v1/Namespace",
    "v1/Pod",
    "v1/ReplicationController",
    "apps/v1/DaemonSet",
    "apps/v1/Deployment",
    "apps/v1/StatefulSet",
    "batch/v1/Job",
];

/** Creates the object and waits until it is ready; `undefined` if a preview cannot tell. */
export async function createObject(
    cluster: Cluster,
    context: ProviderContext,
    request: CreateRequest,
    enablePatchForce: boolean,
): Promise<{ id: string; outputs: Inputs } | undefined> {
    const patches = isPatch(context.type);
    if (patches && request.preview) return undefined;
    const wanted = toWire(request.inputs);
    const fieldManager = fieldManagerOf({}, wanted);
    let created: KubeObject;
    try {
        created = patches
            ? await cluster.patch(context, wanted, { fieldManager, enablePatchForce })
            : await cluster.create(context, wanted, request.preview);
    } catch (error) {
        if (request.preview && isBeyondPreview(error)) return undefined;
        if (error instanceof NoMatchError) {
            const { apiVersion, kind } = kindOfType(context.type);
            throw unknownKind(
                `creation of resource "${context.urn}" with kind ${apiVersion}/${kind}`,
                error,
            );
        }
        throw new Error(
            `resource "${context.urn}" was not successfully created by the Kubernetes API server: ${messageOf(error)}`,
            { cause: error },
        );
    }
    const saved = (live: KubeObject): Inputs => checkpoint(request.inputs, live, fieldManager);
    if (request.preview) {
        delete created.status;
        return { id: "", outputs: saved(created) };
    }
    const id = objectId(created);
    const outcome = await untilReady(cluster, context, wanted, created, request.timeoutSeconds);
    if (outcome.failure !== undefined) {
        const message =
            `resource "${context.urn}" was successfully created, but the Kubernetes API server ` +
            `reported that it failed to fully initialize or become live: ${outcome.failure.message}`;
        throw new InitError(id, saved(outcome.live), [message, ...outcome.failure.reasons]);
    }
    return { id, outputs: saved(outcome.live) };
}

/** Applies the new inputs and waits until the object is ready; `undefined` as above. */
export async function updateObject(
    cluster: Cluster,
    context: ProviderContext,
    request: UpdateRequest,
    enablePatchForce: boolean,
): Promise<{ outputs: Inputs } | undefined> {
    const patches = isPatch(context.type);
    if (patches && request.preview) return undefined;
    const wanted = normalizeInputs(toWire(request.inputs));
    const { live: last } = parseCheckpoint(request.oldOutputs, request.oldInputs);
    const oldManager = fieldManagerOf(request.oldOutputs, last);
    const fieldManager = fieldManagerOf(request.oldOutputs, wanted);
    const saved = (live: KubeObject): Inputs =>
        checkpoint(request.inputs, live, fieldManager, request.oldOutputs);
    const failed = (live: KubeObject, message: string, reasons: string[] = []): InitError =>
        new InitError(request.id, saved(live), [
            `the Kubernetes API server reported that "${objectId(live)}" failed to fully initialize or become live: ${message}`,
            ...reasons,
        ]);

    let before: KubeObject;
    try {
        before = await cluster.get(last, context.signal);
    } catch (error) {
        if (request.preview && isBeyondPreview(error)) return undefined;
        if (error instanceof NoMatchError) {
            throw unknownKind(`update of resource "${context.urn}"`, error);
        }
        throw new Error(`update of resource "${context.urn}" failed: ${messageOf(error)}`, {
            cause: error,
        });
    }
    let applied: KubeObject;
    try {
        const options = { fieldManager, enablePatchForce, preview: request.preview };
        applied = patches
            ? await cluster.patch(context, wanted, options)
            : await cluster.apply(context, wanted, before, request.ignoreChanges, options);
    } catch (error) {
        if (request.preview && isBeyondPreview(error)) return undefined;
        // The object is there as it was; the next run sees the difference again.
        throw failed(before, messageOf(error));
    }
    if (request.preview) return { outputs: saved(applied) };
    const outcome = await untilReady(
        cluster,
        context,
        wanted,
        applied,
        request.timeoutSeconds,
        before,
    );
    if (outcome.failure !== undefined) {
        throw failed(outcome.live, outcome.failure.message, outcome.failure.reasons);
    }
    if (oldManager !== fieldManager) await cluster.relinquish(context, outcome.live, oldManager);
    return { outputs: saved(outcome.live) };
}

/** Deletes the object and waits until it is gone. */
export async function deleteObject(
    cluster: Cluster,
    context: ProviderContext,
    request: DeleteRequest,
): Promise<void> {
    const { inputs, live } = parseCheckpoint(request.outputs, request.inputs);
    const object = identified(live, request.id);
    if (isPatch(context.type)) {
        // Giving fields up is an apply too: it would make an object that is gone anew.
        if (await cluster.exists(object, context.signal)) {
            const fieldManager = fieldManagerOf(request.outputs, inputs);
            await cluster.relinquish(context, object, fieldManager);
        }
        return;
    }
    if (!(await cluster.delete(context, object, deletionPropagation(inputs)))) return;
    const skip =
        isAnnotated(inputs, Annotation.skipAwait) && SKIP_DELETE_AWAIT.includes(kindKey(object));
    if (skip) return;
    const timeout = timeoutOf(inputs, request.timeoutSeconds) ?? DELETE_TIMEOUT_SECONDS;
    await awaitDeleted(cluster.client, cluster.mapper, context, object, timeout);
}

/** The object as it is now, for a refresh or an import; undefined if it is gone. */
export async function readObject(
    cluster: Cluster,
    context: ProviderContext,
    request: ReadRequest,
): Promise<ReadResult | undefined> {
    const known = parseCheckpoint(request.outputs ?? {}, request.inputs);
    const inputs = normalizeInputs(toWire(request.inputs ?? known.inputs));
    const importing = text(inputs, "kind") === "" && text(known.live, "kind") === "";
    const wanted = identified({ ...kindOfType(context.type), ...inputs }, request.id);
    let live: KubeObject;
    try {
        live = await cluster.get(wanted, context.signal);
    } catch (error) {
        if (ApiError.is(error, "NotFound") || error instanceof NoMatchError) return undefined;
        throw error;
    }
    const fieldManager = fieldManagerOf(request.outputs ?? {}, wanted);
    const liveInputs = fromWire(importing ? importedInputs(live) : prune(live, wanted));
    const outputs = checkpoint(liveInputs, live, fieldManager, request.outputs);
    const result = { id: request.id, inputs: liveInputs, outputs };
    const readiness = importing
        ? undefined
        : await refreshReadinessOf(cluster.client, inputs, live);
    if (readiness === undefined) return result;
    const { failure } = await checkReady(cluster.client, cluster.mapper, context, readiness);
    if (failure === undefined) return result;
    throw new InitError(request.id, outputs, [failure.message, ...failure.reasons], liveInputs);
}

async function untilReady(
    cluster: Cluster,
    context: ProviderContext,
    inputs: KubeObject,
    created: KubeObject,
    seconds: number | undefined,
    before?: KubeObject,
): Promise<Outcome> {
    const readiness = await readinessOf(cluster.client, inputs, created, before);
    if (readiness === undefined) return { live: created };
    const timeout = timeoutOf(inputs, seconds) ?? readiness.defaultTimeoutSeconds;
    return awaitReady(cluster.client, cluster.mapper, context, readiness, timeout);
}

/** The program's timeout in seconds: the option `customTimeouts`, else the annotation. */
function timeoutOf(inputs: KubeObject, seconds: number | undefined): number | undefined {
    if (seconds !== undefined && seconds > 0) return seconds;
    const annotated = Number.parseInt(annotation(inputs, Annotation.timeoutSeconds), 10);
    return annotated > 0 ? annotated : undefined;
}

/** The words of the real provider, which lead to the CRD that is missing. */
function unknownKind(what: string, error: NoMatchError): Error {
    return new Error(
        `${what} failed because the Kubernetes API server reported that the apiVersion for this ` +
            `resource does not exist. Verify that any required CRDs have been created: ${error.message}`,
        { cause: error },
    );
}

/** Errors by which the API server only says that it cannot look ahead. */
const isBeyondPreview = (error: unknown): boolean =>
    error instanceof NoMatchError ||
    ApiError.is(error, "Forbidden") ||
    ApiError.is(error, "AlreadyExists") ||
    ApiError.isNamespaceMissing(error) ||
    (error instanceof ApiError && error.message.includes("does not support dry run"));

const messageOf = (error: unknown): string =>
    error instanceof Error ? error.message : String(error);
