// What the AI SDK does with a model, whichever package the model is from.

import { Output, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { ABOUT, image, weather } from "./driving.mjs";

const Report = z.object({ city: z.string(), degrees: z.int() });
const counted = (usage) => [usage.inputTokens, usage.outputTokens];

/** The capabilities of a driver that uses `model`; `thinking` are the options with which it shows what it thought. */
export function capabilitiesOf(model, thinking) {
  const generate = (more) => generateText({ model, maxRetries: 0, ...more });

  async function answer(prompt) {
    const { text, usage } = await generate({ prompt });
    return { text, usage: counted(usage) };
  }

  async function stream(prompt) {
    const result = streamText({ model, prompt, maxRetries: 0 });
    const pieces = [];
    for await (const piece of result.textStream) pieces.push(piece);
    return { pieces, usage: counted(await result.usage) };
  }

  async function tools(prompt) {
    const called = [];
    const execute = async ({ city }) => {
      called.push(city);
      return weather(city);
    };
    const get_weather = tool({ description: ABOUT, inputSchema: z.object({ city: z.string() }), execute });
    const { text } = await generate({ prompt, tools: { get_weather }, stopWhen: stepCountIs(3) });
    return { text, called };
  }

  async function conversation(prompt) {
    const messages = [];
    const texts = [];
    for (const content of prompt.split("\n")) {
      messages.push({ role: "user", content });
      const { text, response } = await generate({ messages });
      messages.push(...response.messages);
      texts.push(text);
    }
    return { texts };
  }

  async function shown(prompt) {
    const content = [
      { type: "text", text: prompt },
      { type: "image", image: image() },
    ];
    const { text } = await generate({ messages: [{ role: "user", content }] });
    return { text };
  }

  async function schema(prompt) {
    const { output } = await generate({ prompt, output: Output.object({ schema: Report }) });
    return { value: output };
  }

  async function reasoning(prompt) {
    const { text, reasoningText } = await generate({ prompt, providerOptions: thinking });
    return { text, reasoning: reasoningText ?? null };
  }

  return { answer, stream, usage: stream, tools, conversation, image: shown, schema, reasoning };
}
