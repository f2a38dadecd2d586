import { ApiError } from "./api-error";

const CONFLICT_HELP =
    "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources";

const ALREADY_EXISTS_HELP = `

The resource already exists in the cluster. This can happen when:

  - Renaming a Pulumi resource: use an alias to preserve the identity,
    or use deleteBeforeReplace if the resource needs replacement.
  - Adopting a resource into Pulumi: use \`pulumi import\`.
  - An earlier operation was interrupted: run \`pulumi refresh\`.`;

/** An object that is there already: what that can mean. Other errors stay as they are. */
export function explainCreate(error: unknown): unknown {
    return ApiError.is(error, "AlreadyExists")
        ? new ApiError(error.code, {
              ...error.status,
              message: error.message + ALREADY_EXISTS_HELP,
          })
        : error;
}

/** The API server's message names the managers and the fields; this adds where to read on. */
export function explainConflict(error: unknown, fieldManager: string): unknown {
    if (!ApiError.is(error, "Conflict")) return error;
    const message =
        `server-side apply field conflict detected, see ${CONFLICT_HELP} for troubleshooting help\n` +
        `The resource managed by field manager "${fieldManager}" had an apply conflict: ${error.message}`;
    return new ApiError(error.code, { ...error.status, message });
}
