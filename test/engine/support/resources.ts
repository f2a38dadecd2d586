import * as pulumi from "@pulumi/pulumi";

/** A resource of the test provider; see file-provider.ts for what its inputs make it do. */
export class Thing extends pulumi.CustomResource {
    declare readonly value: pulumi.Output<unknown>;
    declare readonly token: pulumi.Output<string>;
    declare readonly length: pulumi.Output<number>;

    constructor(
        name: string,
        args: Record<string, unknown> = {},
        opts: pulumi.CustomResourceOptions = {},
    ) {
        const outputs = { token: undefined, length: undefined };
        super("test:index:Thing", name, { ...outputs, ...args }, { version: "1.0.0", ...opts });
    }

    static read(name: string, id: string, opts: pulumi.CustomResourceOptions = {}): Thing {
        return new Thing(name, {}, { ...opts, id });
    }
}

/** A Thing whose `value` the provider says is secret. */
export class SecretThing extends pulumi.CustomResource {
    declare readonly value: pulumi.Output<string>;

    constructor(name: string, args: Record<string, unknown>) {
        super("test:index:Secret", name, args, { version: "1.0.0" });
    }
}

export class Box extends pulumi.ComponentResource {
    constructor(
        name: string,
        fill: (box: Box) => Record<string, unknown> | void = () => undefined,
        opts?: pulumi.ComponentResourceOptions,
        args: Record<string, unknown> = {},
    ) {
        super("sample:index:Box", name, args, opts);
        this.registerOutputs(fill(this) ?? {});
    }
}

export class TestProvider extends pulumi.ProviderResource {
    constructor(
        name: string,
        args: Record<string, pulumi.Input<string>> = {},
        opts?: pulumi.ResourceOptions,
    ) {
        super("test", name, args, { version: "1.0.0", ...opts });
    }
}
