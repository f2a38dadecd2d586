const ENTITIES: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
};

/**
 * Text for HTML and SVG, in content and in quoted attributes. Release names and response headers come
 * from elsewhere; control characters, which XML cannot hold at all, are dropped.
 */
export function escape(text: string): string {
    return text
        .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]/g, "")
        .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
