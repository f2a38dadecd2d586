import { ApiError } from "./api-error";
import { type KubeClient } from "./client";
import { basePath, builtInMapping, collectionPath, type Mapping, NoMatchError } from "./kinds";
import { type KubeObject, maps, nameOf, namespaceOf, text } from "./objects";

/** Finds out how kinds are addressed: built-in ones by heart, others by discovery, once each. */
export class RestMapper {
    private readonly groups = new Map<string, Promise<Map<string, Mapping>>>();

    constructor(private readonly client: KubeClient) {}

    async mapping(apiVersion: string, kind: string, signal?: AbortSignal): Promise<Mapping> {
        const known = builtInMapping(apiVersion, kind);
        if (known !== undefined) return known;
        let group = this.groups.get(apiVersion);
        if (group === undefined) {
            group = this.discover(apiVersion, signal);
            this.groups.set(apiVersion, group);
        }
        try {
            const found = (await group).get(kind);
            if (found !== undefined) return found;
        } catch (error) {
            this.groups.delete(apiVersion);
            throw error;
        }
        // The CRD may be created by this very run: ask again next time.
        this.groups.delete(apiVersion);
        throw new NoMatchError(apiVersion, kind);
    }

    /** The path of `object`, and that of the collection it is created in. */
    async paths(
        object: KubeObject,
        signal?: AbortSignal,
    ): Promise<{ collection: string; item: string; namespaced: boolean }> {
        const apiVersion = text(object, "apiVersion");
        const mapping = await this.mapping(apiVersion, text(object, "kind"), signal);
        const collection = collectionPath(apiVersion, mapping, namespaceOf(object));
        return {
            collection,
            item: `${collection}/${encodeURIComponent(nameOf(object))}`,
            namespaced: mapping.namespaced,
        };
    }

    private async discover(
        apiVersion: string,
        signal?: AbortSignal,
    ): Promise<Map<string, Mapping>> {
        try {
            const list = await this.client.request("GET", basePath(apiVersion), { signal });
            return new Map(
                maps(list, "resources")
                    .filter((resource) => !text(resource, "name").includes("/"))
                    .map((resource) => [
                        text(resource, "kind"),
                        {
                            plural: text(resource, "name"),
                            namespaced: resource.namespaced === true,
                        },
                    ]),
            );
        } catch (error) {
            if (
                ApiError.is(error, "NotFound") ||
                (error instanceof ApiError && error.code === 404)
            ) {
                return new Map();
            }
            throw error;
        }
    }
}
