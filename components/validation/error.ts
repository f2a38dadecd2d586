import * as pulumi from "@pulumi/pulumi";
import { describe, describeAll, type Violation } from "./violation";

/**
 * The arguments of a component are wrong; the message lists every violation. A plugin host prints it
 * from its `errors`. In a program, Pulumi prints a stack below every error that it does not know as
 * its own `RunError`, which it recognises by the marker property set here.
 */
export class InvalidArgs extends pulumi.InputPropertiesError {
    readonly __pulumiRunError = true;

    constructor(subject: string, violations: readonly Violation[]) {
        super({
            message: describeAll(subject, violations),
            errors: violations.map((violation) => ({
                propertyPath: violation.path,
                reason: describe(violation).slice(violation.path.length + 2),
            })),
        });
        this.name = "InvalidArgs";
    }
}

/** Throws when there is anything to complain about. */
export function refuse(subject: string, violations: readonly Violation[]): void {
    if (violations.length > 0) throw new InvalidArgs(subject, violations);
}
