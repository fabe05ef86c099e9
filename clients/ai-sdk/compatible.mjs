// The AI SDK with its package for compatible servers, which is Chat Completions.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { KEY, MODEL, URL, drive } from "./driving.mjs";
import { capabilitiesOf } from "./generating.mjs";

const claude = createOpenAICompatible({
  name: "claude",
  baseURL: URL,
  apiKey: KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
});

await drive(capabilitiesOf(claude(MODEL), { claude: { reasoningEffort: "high" } }));
