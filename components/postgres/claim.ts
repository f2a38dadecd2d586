import { PersistentVolumeClaim } from "@pulumi/kubernetes/core/v1/persistentVolumeClaim";
import { STORAGE } from "./defaults";
import { isLarger } from "./quantity";
import { parseDatabaseState, type DatabaseState } from "./state";

/**
 * The state of the stack's database as its last outputs have it, with one thing looked up: when the
 * volume should be larger than remembered, the claim itself says whether it has been grown by now.
 * Await it before anything is declared, and hand it to the component as `previous`:
 *
 * ```ts
 * const { value } = await self.getOutputDetails("databaseState");
 * const previous = await lastDatabaseState(value, settings.database);
 * ```
 *
 * Fails when the claim is gone from the cluster.
 */
export async function lastDatabaseState(
    output: unknown,
    wanted: { host?: string; storage?: string },
): Promise<DatabaseState | undefined> {
    const previous = parseDatabaseState(output);
    const volume = previous?.volume;
    if (volume === undefined || wanted.host !== undefined) return previous;
    if (!isLarger(wanted.storage ?? STORAGE, volume.storage)) return previous;
    const id = `${volume.namespace}/${volume.claim}`;
    const claim = PersistentVolumeClaim.get("database-volume", id);
    const storage = await requestedBy(claim);
    return {
        ...previous,
        volume: { ...volume, storage: storage ?? volume.storage },
    } as DatabaseState;
}

function requestedBy(claim: PersistentVolumeClaim): Promise<string | undefined> {
    return new Promise((resolve) => {
        claim.spec.apply((spec) => resolve(spec?.resources?.requests?.storage));
    });
}
