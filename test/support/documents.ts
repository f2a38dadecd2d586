/** A Kubernetes object, or a part of one, whose fields each test knows. */
export type Json = ReturnType<typeof JSON.parse>;

/** The values of a document that ours does not have: their paths, with named entries by their names. */
export function differences(document: Json, ours: Json, path: string[] = []): [string, unknown][] {
    if (Array.isArray(document)) {
        return document.flatMap((entry: Json, index) => {
            const name = nameOf(entry);
            const found = Array.isArray(ours)
                ? name === undefined
                    ? ours[index]
                    : ours.find((candidate: Json) => nameOf(candidate) === name)
                : undefined;
            return differences(entry, found, [...path, name ?? String(index)]);
        });
    }
    if (typeof document !== "object" || document === null) {
        return document === ours ? [] : [[path.join("."), document]];
    }
    return Object.entries(document).flatMap(([key, inner]) =>
        differences(inner, ours?.[key], [...path, key]),
    );
}

function nameOf(entry: Json): string | undefined {
    return entry?.name ?? entry?.metadata?.name;
}
