import * as pulumi from "@pulumi/pulumi";
import { gateEnabled, told } from "../gate";
import type { AcceptanceSpec } from "./hooks";

export interface AcceptanceArgs {
    spec: AcceptanceSpec;
    /** What tells one version of the HTTPRoute from another: its identity and its generation. */
    uid: pulumi.Input<string | undefined>;
    generation: pulumi.Input<number | undefined>;
}

/**
 * The state's record that a controller accepted a version of the route: no object in the cluster, only
 * an entry that is written once the wait in front of it has ended well.
 *
 * It is a resource of its own because a hook after the HTTPRoute would fail but once: what it hangs on
 * is in the state by then, so the next `up` finds nothing to do there and shrinks the old side. The
 * hook in front of this one runs in every `up` until it has passed.
 */
export class RouteAcceptance extends pulumi.ComponentResource {
    constructor(name: string, args: AcceptanceArgs, opts: pulumi.ComponentResourceOptions) {
        const { spec, uid, generation } = args;
        const route = `${spec.namespace}/${spec.route}`;
        super(
            "cutover:index:RouteAcceptance",
            name,
            { route, uid, generation },
            { ...opts, hooks: acceptanceHooks(name, spec) },
        );
        this.registerOutputs({});
    }
}

function acceptanceHooks(name: string, spec: AcceptanceSpec): pulumi.ResourceHookBinding {
    if (!gateEnabled()) return {};
    // Asked here, in the program: a callback from the engine may run outside the program's context.
    const dryRun = pulumi.runtime.isDryRun();
    const before = new pulumi.ResourceHook(
        name,
        async () =>
            told(dryRun ? loadHooks().previewAccepted(spec) : loadHooks().awaitAccepted(spec)),
        { onDryRun: true },
    );
    return { beforeCreate: [before], beforeUpdate: [before] };
}

/** Loaded only when a route has changed; by `require`, as the gate's own hooks are. */
function loadHooks(): typeof import("./hooks") {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require("./hooks") as typeof import("./hooks");
}
