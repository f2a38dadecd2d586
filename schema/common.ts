import { z } from "zod";

/** Names to texts: environment variables, labels, files. */
export const strings = z.record(z.string(), z.string());

/** Requests and limits, as Kubernetes writes quantities. */
export const resources = z.strictObject({
    requests: strings.optional(),
    limits: strings.optional(),
});
