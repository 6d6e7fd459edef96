import { inferDocument } from '../infer/draft/report.js';
import { feedYaml } from '../infer/draft/yaml.js';
import { inferFeed, type InferOptions } from '../infer/infer.js';
import type { InferParts } from '../infer/sample/infer-parts.js';

/** A feed proposed for these files, as YAML to stand under `feeds:` and as a document. */
export async function infer(
  parts: InferParts,
  input: InferOptions & { readonly files: readonly string[] },
): Promise<{ readonly yaml: string; readonly document: Readonly<Record<string, unknown>> }> {
  const draft = await inferFeed(input.files, parts, input);
  return { yaml: feedYaml(draft), document: inferDocument(draft) };
}
