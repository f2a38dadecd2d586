import { z } from "zod";

/** Names to texts: environment variables, labels, files. */
export const strings = z.record(z.string(), z.string());

/** Requests and limits, as Kubernetes writes quantities. */
export const resources = z.strictObject({
    requests: strings.optional(),
    limits: strings.optional(),
});

/** `pulumi config set --path` makes a number of what looks like one. */
const numberAsText = (raw: unknown): unknown => (typeof raw === "number" ? String(raw) : raw);

/** A text that may look like a number. */
export const numericText = z.preprocess(numberAsText, z.string());
