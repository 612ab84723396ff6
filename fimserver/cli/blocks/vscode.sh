cd editors/vscode
npm ci --ignore-scripts
npm run package
code --install-extension dist/fimserver.vsix
