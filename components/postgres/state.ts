import { show, type Violation } from "../validation/violation";
import { bytesOf, isLarger } from "./quantity";

/**
 * What a stack remembers of its database, in its output `databaseState`. Plain: it holds no secret.
 */
export interface DatabaseState {
    version: number;
    /** The external server that was used, if one was. */
    host?: string;
    /** The volume that the stack has made; it stays when an external server takes over. */
    volume?: VolumeState;
}

/** A volume, and what it was initialised with. */
export interface VolumeState {
    namespace: string;
    /** Name of the claim. */
    claim: string;
    /** Its size, as Kubernetes writes it. */
    storage: string;
    /** Its class; none is the cluster's default at that time. */
    storageClassName?: string;
    /** The API's database. */
    database: string;
    /** The superuser. */
    user: string;
}

/** What the server of this `up` wants of its volume. */
export type WantedVolume = Omit<VolumeState, "namespace" | "claim">;

const VERSION = 1;

/** What is to be remembered. */
export function databaseState(parts: Omit<DatabaseState, "version">): DatabaseState {
    return { version: VERSION, ...parts };
}

/**
 * The state that a stack's last outputs hold under `databaseState`, or `undefined` where they hold
 * none, as before the first `up`. Every part is looked at, as another version may have written it.
 */
export function parseDatabaseState(value: unknown): DatabaseState | undefined {
    if (!isRecord(value) || value.version !== VERSION) return undefined;
    const volume = parseVolume(value.volume);
    return {
        version: VERSION,
        ...(typeof value.host === "string" && { host: value.host }),
        ...(volume && { volume }),
    };
}

function parseVolume(value: unknown): VolumeState | undefined {
    if (!isRecord(value)) return undefined;
    const { namespace, claim, storage, storageClassName, database, user } = value;
    if (
        typeof namespace !== "string" ||
        typeof claim !== "string" ||
        typeof storage !== "string" ||
        typeof database !== "string" ||
        typeof user !== "string"
    ) {
        return undefined;
    }
    const known = { namespace, claim, storage, database, user };
    return typeof storageClassName === "string" ? { ...known, storageClassName } : known;
}

/**
 * What must not change while the volume exists, compared with the last outputs: a claim template
 * cannot change, and the names were written into the volume when it was made. Paths are those of the
 * component's arguments; `database.<path>` in the stack config.
 */
export function forbiddenDatabaseChanges(
    previous: DatabaseState | undefined,
    wanted: WantedVolume,
): Violation[] {
    const volume = previous?.volume;
    if (volume === undefined) return [];
    const fixed = (["database", "user", "storageClassName"] as const)
        .filter((path) => wanted[path] !== volume[path])
        .map((path) => ({
            path,
            got: wanted[path] === undefined ? "none" : show(wanted[path]),
            expected: `${valueOf(path, volume)}, ${WHY[path]}; ${MOVE}`,
        }));
    return [...fixed, ...sizeChanges(volume, wanted.storage)];
}

const WHY = {
    database: "the database that this stack's volume has, as the API would find an empty one",
    user: "the superuser that this stack's volume was initialised with",
    storageClassName: "the class that this stack's volume has, which Kubernetes cannot change",
};

/** How to get there all the same: docs/components/postgres.md has the commands. */
const MOVE =
    "to move the data, bring up a second stack with the new value in another namespace, copy " +
    "the data (pg_dump, psql), move the clients to it and destroy this one";

function valueOf(path: keyof typeof WHY, volume: VolumeState): string {
    return volume[path] === undefined ? "none (the cluster's default)" : show(volume[path]);
}

function sizeChanges(volume: VolumeState, storage: string): Violation[] {
    const { claim, namespace } = volume;
    if (bytesOf(storage) === undefined) return [];
    if (isLarger(volume.storage, storage)) {
        const expected = `at least ${show(volume.storage)}, the size of this stack's volume, which Kubernetes cannot shrink; ${MOVE}`;
        return [{ path: "storage", got: show(storage), expected }];
    }
    if (!isLarger(storage, volume.storage)) return [];
    const patch = JSON.stringify({ spec: { resources: { requests: { storage } } } });
    const expected =
        `${show(volume.storage)} until the volume has grown, as a StatefulSet's claim template ` +
        `cannot change; if its class allows expansion (kubectl get storageclass), grow it with ` +
        `kubectl patch pvc ${claim} --namespace ${namespace} --type merge --patch '${patch}' ` +
        `and run up again; if not, ${MOVE}`;
    return [{ path: "storage", got: show(storage), expected }];
}

/**
 * The same for a StatefulSet that an `up` made which then failed: nothing was remembered, and its
 * frozen claim template is what it was made with.
 */
export function frozenTemplateChanges(
    made: { storage?: string; storageClassName?: string },
    wanted: WantedVolume,
    { claim, namespace }: { claim: string; namespace: string },
): Violation[] {
    const steps =
        "with which an up that failed made the StatefulSet; to start over, without the data: " +
        `kubectl delete statefulset postgres --namespace ${namespace}, ` +
        `kubectl delete pvc ${claim} --namespace ${namespace}, then pulumi up --refresh`;
    const found: Violation[] = [];
    if (made.storage !== undefined && bytesOf(made.storage) !== bytesOf(wanted.storage)) {
        const expected = `${show(made.storage)}, ${steps}`;
        found.push({ path: "storage", got: show(wanted.storage), expected });
    }
    if (made.storageClassName !== wanted.storageClassName) {
        const text = (name: string | undefined) => (name === undefined ? "none" : show(name));
        const expected = `${text(made.storageClassName)}, ${steps}`;
        found.push({ path: "storageClassName", got: text(wanted.storageClassName), expected });
    }
    return found;
}

/** What stays in the cluster whatever becomes of the stack, and how to delete it. */
export function keptVolume({ claim, namespace }: { claim: string; namespace: string }): string {
    return (
        `the database's volume, claim ${claim} in namespace ${namespace}; the next up uses it again; ` +
        `to delete the data for good: kubectl delete pvc ${claim} --namespace ${namespace}`
    );
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
