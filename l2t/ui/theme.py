"""Look of the page: system fonts, one accent, the style sheet. No request leaves the machine."""

from pathlib import Path

import gradio as gr

FOLDER = Path(__file__).resolve().parent
SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Arial", "sans-serif")
MONO = ("ui-monospace", "SF Mono", "Menlo", "Consolas", "monospace")


def theme() -> gr.themes.Base:
    """Slate and teal; plain strings as fonts, since Gradio's own would come from a font host."""
    base = gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_lg,
        font=list(SANS),
        font_mono=list(MONO),
    )
    return base.set(
        body_background_fill="#f6f7f9",
        body_background_fill_dark="#0e1420",
        block_background_fill="#ffffff",
        block_background_fill_dark="#161e2d",
        block_border_width="1px",
        block_border_color="#e2e6ec",
        block_border_color_dark="#263145",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_shadow="none",
        input_background_fill="#ffffff",
        input_background_fill_dark="#0f1726",
        button_primary_background_fill="#0f766e",
        button_primary_background_fill_hover="#0d655e",
        button_primary_background_fill_dark="#14867c",
        button_primary_background_fill_hover_dark="#17998d",
        button_primary_text_color="#ffffff",
        button_large_text_size="*text_lg",
        button_large_padding="14px 20px",
    )


def read(name: str) -> str:
    """One of the page's own files: style sheet, template or script."""
    return (FOLDER / name).read_text(encoding="utf-8")
