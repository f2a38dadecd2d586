/** Names of resources: `urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>`. */
const STACK_TYPE = "pulumi:pulumi:Stack";

export interface UrnParts {
    stack: string;
    project: string;
    /** Types from the outermost parent to the resource's own, joined by `$`. */
    qualifiedType: string;
    type: string;
    name: string;
}

export function parseUrn(urn: string): UrnParts {
    const [head = "", project = "", qualifiedType = "", ...name] = urn.split("::");
    return {
        stack: head.slice("urn:pulumi:".length),
        project,
        qualifiedType,
        type: qualifiedType.slice(qualifiedType.lastIndexOf("$") + 1),
        name: name.join("::"),
    };
}

export function makeUrn(
    stack: string,
    project: string,
    parent: string | undefined,
    type: string,
    name: string,
): string {
    const parentType = parent === undefined || parent === "" ? "" : parseUrn(parent).qualifiedType;
    const prefix = parentType === "" || parentType === STACK_TYPE ? "" : `${parentType}$`;
    return `urn:pulumi:${stack}::${project}::${prefix}${type}::${name}`;
}

export function stackUrn(stack: string, project: string): string {
    return makeUrn(stack, project, undefined, STACK_TYPE, `${project}-${stack}`);
}

export function isStackUrn(urn: string): boolean {
    return parseUrn(urn).qualifiedType === STACK_TYPE;
}

const PROVIDER_TYPE = "pulumi:providers:";

export function isProviderType(type: string): boolean {
    return type.startsWith(PROVIDER_TYPE);
}

export function providerPackage(type: string): string {
    return type.slice(PROVIDER_TYPE.length);
}

export function providerType(pkg: string): string {
    return `${PROVIDER_TYPE}${pkg}`;
}

/** The package of a type token: `kubernetes:apps/v1:Deployment` → `kubernetes`. */
export function packageOf(type: string): string {
    return type.slice(0, type.indexOf(":"));
}

/** A provider reference is its URN and its id: `<urn>::<id>`. */
export function splitReference(reference: string): { urn: string; id: string } {
    const at = reference.lastIndexOf("::");
    return { urn: reference.slice(0, at), id: reference.slice(at + 2) };
}

/** An alias as a program declares it: a whole URN, or what differs from the resource's own. */
export interface AliasSpec {
    urn?: string;
    name?: string;
    type?: string;
    stack?: string;
    project?: string;
    parent?: string;
    noParent?: boolean;
}

/**
 * The URNs a resource may have had: its declared aliases, and for each of them and for its own name
 * the one under its parent's former URN, since a parent's alias renames its children too.
 */
export function aliasUrns(
    own: { stack: string; project: string; type: string; name: string; parent: string | undefined },
    specs: readonly AliasSpec[],
    parentAliases: readonly string[],
): string[] {
    const found = new Set<string>();
    const add = (spec: AliasSpec, parent: string | undefined): void => {
        const urn = makeUrn(
            spec.stack ?? own.stack,
            spec.project ?? own.project,
            parent,
            spec.type ?? own.type,
            spec.name ?? own.name,
        );
        found.add(urn);
    };
    for (const spec of specs) {
        if (spec.urn !== undefined) found.add(spec.urn);
        else add(spec, spec.noParent === true ? undefined : (spec.parent ?? own.parent));
    }
    for (const former of parentAliases) {
        const name = inheritedName(own.name, own.parent, former);
        add({ name }, former);
        for (const spec of specs) {
            if (spec.urn !== undefined || spec.noParent === true || spec.parent !== undefined) {
                continue;
            }
            add({ ...spec, name: spec.name ?? name }, former);
        }
    }
    return [...found];
}

/** A child named after its parent was named after the parent's former name. */
function inheritedName(name: string, parent: string | undefined, former: string): string {
    const parentName = parent === undefined ? "" : parseUrn(parent).name;
    if (parentName === "" || !name.startsWith(parentName)) return name;
    return parseUrn(former).name + name.slice(parentName.length);
}
