import type { ProviderContext } from "../../types";
import { ApiError } from "../api-error";
import { type KubeClient } from "../client";
import { type KubeObject, nameOf, uidOf } from "../objects";
import type { RestMapper } from "../rest-mapper";
import { followPath } from "./follow";

/** Waits until `object` is gone, or another one has its name. */
export async function awaitDeleted(
    client: KubeClient,
    mapper: RestMapper,
    context: ProviderContext,
    object: KubeObject,
    timeoutSeconds: number,
): Promise<void> {
    const { collection, item } = await mapper.paths(object, context.signal);
    const stop = new AbortController();
    const aborted = (): void => stop.abort(context.signal.reason);
    context.signal.addEventListener("abort", aborted, { once: true });
    if (context.signal.aborted) aborted();
    let newest = object;
    const timer = setTimeout(() => stop.abort(new DeleteTimeout(newest)), timeoutSeconds * 1000);
    let gone = false;
    const done = (): void => {
        gone = true;
        stop.abort();
    };
    const look = async (): Promise<void> => {
        try {
            const found = await client.request("GET", item, { signal: stop.signal });
            if (uidOf(found) !== uidOf(object)) done();
        } catch (error) {
            // Any other failure: the watch tells.
            if (ApiError.is(error, "NotFound")) done();
        }
    };
    try {
        await followPath(
            client,
            collection,
            { fieldSelector: `metadata.name=${nameOf(object)}` },
            stop.signal,
            {
                // It may have gone before the watch began.
                onOpen: () => void look(),
                onEvent: (event) => {
                    newest = event.object;
                    if (event.type === "DELETED" || uidOf(newest) !== uidOf(object)) done();
                },
            },
        );
    } finally {
        clearTimeout(timer);
        context.signal.removeEventListener("abort", aborted);
    }
    if (gone) return;
    throw context.signal.aborted
        ? new Error(`Resource operation was cancelled for "${nameOf(object)}"`)
        : stop.signal.reason;
}

class DeleteTimeout extends Error {
    constructor(object: KubeObject) {
        const finalizers = (object.metadata as { finalizers?: string[] }).finalizers ?? [];
        super(
            `'${nameOf(object)}' timed out waiting to be deleted; finalizers might be preventing deletion ` +
                `(${finalizers.join(", ") || "none"})`,
        );
        this.name = "DeleteTimeout";
    }
}
