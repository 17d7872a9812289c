"""Build a chat model of random weights, small enough for any CPU; nothing is downloaded.

    python tests/serving/tiny_model.py FOLDER

Needs torch, transformers and tokenizers, which come with vLLM. The model knows no language: it
shows that constrained decoding holds and that replies are read, not what a model would choose.
"""

from __future__ import annotations

import sys
from pathlib import Path

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL_TOKENS = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
LINES = [
    "Agents share a battery; each decides what to do with the power that is left.",
    '{"rationale": "because it is fair", "action": {"option": "WAIT", "arguments": {}}}',
    "0 1 2 3 4 5 6 7 8 9 0.5 1.5 2.5 WAIT MOVE TALK DRAW GIVE",
]


def build(folder: Path, seed: int = 0) -> None:
    """Write tokenizer, configuration and random weights of `seed` to `folder`."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    bytes_only = ByteLevelBPETokenizer()
    bytes_only.train_from_iterator(LINES, vocab_size=400, special_tokens=SPECIAL_TOKENS)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytes_only._tokenizer, eos_token="<|end|>", pad_token="<|end|>"
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
