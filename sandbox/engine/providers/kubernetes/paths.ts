/** One step into a value: a key, an index, or `*` for any. */
export type Segment = string | number;

/** Parses a property path such as `spec.ports[0]["a.b"]`; the grammar is Pulumi's. */
export function parsePath(path: string): Segment[] {
    const segments: Segment[] = [];
    const pattern = /\.?([^.[\]"]+)|\.?\["((?:\\.|[^"\\])*)"\]|\.?\[(\d+|\*)\]/gy;
    while (pattern.lastIndex < path.length) {
        const match = pattern.exec(path);
        if (match === null) throw new Error(`"${path}" is not a property path`);
        const [, name, quoted, index] = match;
        if (name !== undefined) segments.push(name);
        else if (quoted !== undefined) segments.push(quoted.replaceAll('\\"', '"'));
        else segments.push(index === "*" ? "*" : Number(index));
    }
    return segments;
}

export function formatPath(path: readonly Segment[]): string {
    let result = "";
    for (const segment of path) {
        if (typeof segment === "number") result += `[${segment}]`;
        else if (/[."[\]]/.test(segment)) result += `["${segment.replaceAll('"', '\\"')}"]`;
        else result += result === "" ? segment : `.${segment}`;
    }
    return result;
}

/** True if `path` is `container` or lies below it. */
export const contains = (container: readonly Segment[], path: readonly Segment[]): boolean =>
    container.length <= path.length &&
    container.every((segment, index) => segment === "*" || segment === path[index]);
