import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** A password as a Secret's `data` wants it, and secret whatever its source says about it. */
export function encoded(password: pulumi.Input<string>): pulumi.Output<string> {
    return pulumi.secret(password).apply((plain) => Buffer.from(plain).toString("base64"));
}

/**
 * Changes with random texts, and is plain so that diffs show that and nothing more: 64 bits of a hash
 * over more than that many random bits say nothing about them. Never to be made from what a user chose.
 */
export function hashOfRandom(texts: pulumi.Input<string>[]): pulumi.Output<string> {
    const hash = pulumi
        .all(texts)
        .apply((all) => createHash("sha256").update(all.join("\n")).digest("hex").slice(0, 16));
    return pulumi.unsecret(hash);
}
