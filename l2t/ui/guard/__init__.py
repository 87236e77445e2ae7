"""What stands between the network and Gradio; `middleware.Guard` puts its parts together."""
